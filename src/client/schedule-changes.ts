import { ReseolioError } from '../core/errors.ts';
import type { JobIdGenerator } from '../core/job-id.ts';
import { planFiring } from '../core/plan-firing.ts';
import {
  definitionOf,
  type ScheduleDefinition,
  type ScheduleRecord,
  type ScheduleState,
} from '../core/schedule-record.ts';
import type { Storage } from '../core/storage.ts';

/** Where schedules are, and what makes the ids of what is stored. */
export interface ScheduleStore {
  readonly storage: Storage;
  readonly ids: Pick<JobIdGenerator, 'next'>;
}

/** What becomes of a stored schedule. */
export type Decision = Readonly<{
  definition: ScheduleDefinition;
  state: ScheduleState;
  nextRunAt: number | null;
}>;

/** Decides what is to become of a schedule that is not deleted; null: it is that already. May throw. */
export type Decide = (stored: ScheduleRecord, now: number) => Decision | null;

/** The first occurrence after a time; throws where there is none, and for what cannot be read. */
export type FirstOccurrence = (cron: string, timezone: string, after: number) => number;

/** A change meets a firing, or another change, at times; it does so again and again only if something is wrong. */
const MAX_TRIES = 100;

/** What parses expressions is loaded when a schedule is used. */
export async function loadFirstOccurrence(): Promise<FirstOccurrence> {
  const { firstOccurrence } = await import('../core/schedule.ts');
  return firstOccurrence;
}

/**
 * Makes a schedule of a name, or, where there is one that is not deleted, lets `decide` say what is to become of that.
 * Resolves with the schedule as it is then.
 */
export async function declareSchedule(
  { storage, ids }: ScheduleStore,
  name: string,
  definition: ScheduleDefinition,
  decide: Decide,
): Promise<ScheduleRecord> {
  const firstOccurrence = await loadFirstOccurrence();
  const id = ids.next();
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const existing = await changeSchedule({ storage, ids }, name, decide);
    if (existing !== null) return existing;
    const { now } = await storage.getSchedule({ idOrName: name });
    const nextRunAt = firstOccurrence(definition.cron, definition.timezone, now);
    const { schedule, isNew } = await storage.createSchedule({ schedule: { id, name, definition, nextRunAt } });
    if (isNew) return schedule;
  }
  throw changedTooOften(name);
}

/**
 * Decides on what is stored and carries it out, anew whenever somebody else was faster. Resolves with the schedule as it is
 * then, null if there is none that is not deleted.
 */
export async function changeSchedule(
  store: ScheduleStore,
  idOrName: string,
  decide: Decide,
): Promise<ScheduleRecord | null> {
  const { storage } = store;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { schedule: stored, now } = await storage.getSchedule({ idOrName });
    if (stored === null || stored.state === 'deleted') return null;
    const decision = decide(stored, now);
    if (decision === null) return stored;
    if (isMoved(stored, decision.definition) && (await fireOverdue(store, stored, now))) continue;
    const result = await storage.updateSchedule({ id: stored.id, revision: stored.revision, ...decision });
    if (result.status === 'changed') return result.schedule;
  }
  throw changedTooOften(idOrName);
}

/** Says something else; what comes next is counted anew if it is due at other times. */
export function redefine(
  stored: ScheduleRecord,
  definition: ScheduleDefinition,
  now: number,
  firstOccurrence: FirstOccurrence,
): Decision {
  const { state } = stored;
  const nextRunAt = isMoved(stored, definition)
    ? firstOccurrence(definition.cron, definition.timezone, now)
    : stored.nextRunAt;
  return { definition, state, nextRunAt: state === 'active' ? nextRunAt : null };
}

export const pause: Decide = (stored) =>
  stored.state === 'paused' ? null : { definition: definitionOf(stored), state: 'paused', nextRunAt: null };

/** What came while it was paused is not made up for. */
export function resumeBy(firstOccurrence: FirstOccurrence): Decide {
  return (stored, now) => {
    if (stored.state === 'active') return null;
    const nextRunAt = firstOccurrence(stored.cron, stored.timezone, now);
    return { definition: definitionOf(stored), state: 'active', nextRunAt };
  };
}

export const remove: Decide = (stored) => ({ definition: definitionOf(stored), state: 'deleted', nextRunAt: null });

function isMoved(stored: ScheduleRecord, { cron, timezone }: ScheduleDefinition): boolean {
  return stored.cron !== cron || stored.timezone !== timezone;
}

/** What has come by what a schedule says so far belongs to that, and is made up for by that. False: nothing has. */
async function fireOverdue({ storage, ids }: ScheduleStore, stored: ScheduleRecord, now: number): Promise<boolean> {
  const { id: scheduleId, revision, nextRunAt, cron, timezone } = stored;
  if (stored.state !== 'active' || nextRunAt === null || nextRunAt > now) return false;
  const { parseRecurrence } = await import('../core/schedule.ts');
  const plan = planFiring({ ...stored, nextRunAt }, parseRecurrence(cron, timezone), now);
  const jobs = plan.occurrences.map((dueAt) => ({ id: ids.next(), dueAt }));
  await storage.fireSchedules({ firings: [{ scheduleId, revision, jobs, nextRunAt: plan.nextRunAt }] });
  return true;
}

export function scheduleNotFound(idOrName: string): ReseolioError {
  return new ReseolioError('schedule_not_found', `there is no schedule ${idOrName}, or it was deleted: make it anew`);
}

function changedTooOften(idOrName: string): ReseolioError {
  return new ReseolioError(
    'storage_overloaded',
    `schedule ${idOrName} was changed by others ${MAX_TRIES} times in a row: try again`,
  );
}
