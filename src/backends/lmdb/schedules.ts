import { LIMITS } from '../../core/options.ts';
import type { Payload } from '../../core/payload.ts';
import {
  SCHEDULE_STATES,
  type ScheduleRecord,
  type ScheduleState,
  type ScheduleSummary,
} from '../../core/schedule-record.ts';
import { asBuffer, EMPTY, MAX_INLINE_BYTES } from './job-codec.ts';
import { largePayloadKey, parseJobId } from './keys.ts';
import { decodeSchedule, encodeSchedule, type StoredSchedule } from './schedule-codec.ts';
import {
  SCHEDULE_TOTALS_KEY,
  type ScheduleId,
  scheduleKey,
  scheduleNameKey,
  scheduleOrderKey,
} from './schedule-keys.ts';
import type { Tree } from './tree.ts';
import type { WriteTransaction } from './write-transaction.ts';

const NUMBER_BYTES = 6;

/** How many schedules there are in each state, and how often one was made or changed other than by firing. */
export type ScheduleTotals = Record<ScheduleState | 'changes', number>;

const TOTALS = [...SCHEDULE_STATES, 'changes'] as const;

export function scheduleStateCode(state: ScheduleState): number {
  return SCHEDULE_STATES.indexOf(state);
}

export function readScheduleTotals(tree: Tree): ScheduleTotals {
  const value = tree.get(SCHEDULE_TOTALS_KEY);
  const totals: ScheduleTotals = { active: 0, paused: 0, deleted: 0, changes: 0 };
  if (value !== undefined)
    for (const [i, key] of TOTALS.entries()) totals[key] = value.readUIntBE(i * NUMBER_BYTES, NUMBER_BYTES);
  return totals;
}

function writeScheduleTotals(tree: Tree, totals: ScheduleTotals): void {
  const value = Buffer.alloc(TOTALS.length * NUMBER_BYTES);
  for (const [i, key] of TOTALS.entries()) value.writeUIntBE(totals[key], i * NUMBER_BYTES, NUMBER_BYTES);
  tree.put(SCHEDULE_TOTALS_KEY, value);
}

export function readSchedule(tree: Tree, id: ScheduleId): StoredSchedule | null {
  const bytes = tree.get(scheduleKey(id));
  return bytes === undefined ? null : decodeSchedule(bytes);
}

/** The schedule that was made last under a name: the only one of them that may not be deleted. */
export function readScheduleOfName(tree: Tree, name: string): StoredSchedule | null {
  // A key cannot hold any text.
  if (Buffer.byteLength(name) > LIMITS.nameBytes) return null;
  const id = tree.get(scheduleNameKey(name));
  return id === undefined ? null : readSchedule(tree, id);
}

export function readScheduleArgs(tree: Tree, { summary, argsEncoding, args }: StoredSchedule): Payload {
  const bytes = args ?? tree.get(largePayloadKey(parseJobId(summary.id), 'args')) ?? EMPTY;
  return { encoding: argsEncoding, bytes };
}

export function toScheduleRecord(tree: Tree, stored: StoredSchedule): ScheduleRecord {
  return { ...stored.summary, args: readScheduleArgs(tree, stored) };
}

/** Stores a new schedule. */
export function addSchedule(transaction: WriteTransaction, summary: ScheduleSummary, args: Payload): StoredSchedule {
  const { tree } = transaction;
  const id = parseJobId(summary.id);
  const stored = storeArgs(tree, id, summary, args);
  tree.put(scheduleKey(id), encodeSchedule(stored));
  tree.put(scheduleOrderKey(scheduleStateCode(summary.state), summary.nextRunAt, id), EMPTY);
  tree.put(scheduleNameKey(summary.name), id);
  noteChange(transaction, null, summary.state);
  return stored;
}

/** Replaces what a schedule says. */
export function changeSchedule(
  transaction: WriteTransaction,
  previous: StoredSchedule,
  summary: ScheduleSummary,
  args: Payload,
): StoredSchedule {
  const { tree } = transaction;
  const id = parseJobId(summary.id);
  if (previous.args === null) tree.remove(largePayloadKey(id, 'args'));
  const stored = storeArgs(tree, id, summary, args);
  putRecord(tree, id, previous.summary, stored);
  noteChange(transaction, previous.summary.state, summary.state);
  return stored;
}

/** Goes on to the next occurrence. */
export function advanceSchedule({ tree }: WriteTransaction, previous: StoredSchedule, summary: ScheduleSummary): void {
  putRecord(tree, parseJobId(summary.id), previous.summary, { ...previous, summary });
}

function putRecord(tree: Tree, id: ScheduleId, before: ScheduleSummary, stored: StoredSchedule): void {
  const { summary } = stored;
  tree.remove(scheduleOrderKey(scheduleStateCode(before.state), before.nextRunAt, id));
  tree.put(scheduleOrderKey(scheduleStateCode(summary.state), summary.nextRunAt, id), EMPTY);
  tree.put(scheduleKey(id), encodeSchedule(stored));
}

function storeArgs(tree: Tree, id: ScheduleId, summary: ScheduleSummary, { encoding, bytes }: Payload): StoredSchedule {
  const args = asBuffer(bytes);
  const isLarge = args.length > MAX_INLINE_BYTES;
  if (isLarge) tree.put(largePayloadKey(id, 'args'), args);
  return { summary, argsEncoding: encoding, args: isLarge ? null : args };
}

function noteChange(transaction: WriteTransaction, before: ScheduleState | null, after: ScheduleState): void {
  const totals = readScheduleTotals(transaction.tree);
  if (before !== null) totals[before]--;
  totals[after]++;
  totals.changes++;
  writeScheduleTotals(transaction.tree, totals);
  transaction.hasChangedSchedules = true;
}
