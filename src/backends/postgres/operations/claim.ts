import type { ClaimedJob, ClaimParams } from '../../../core/storage.ts';
import { arrayLiteral } from '../array-literal.ts';
import type { Position } from '../floors.ts';
import { readError, readKey, readNumber, readOccurrence } from '../job-columns.ts';
import type { Lanes } from '../lanes.ts';
import { readOptions } from '../options-column.ts';
import { readPayload } from '../payload-column.ts';
import type { Query, Row } from '../query.ts';

const COLUMNS = `id, lane, seq, attempt, run_at, started_at, error, created_at, max_attempts, options, idempotency_key,
  schedule_id, occurrence_at, args_is_json, args, parent_id, step_count, signal_count, is_resumed`;

/** The lanes of names, by name in the order of turns, and the turn of each. */
export interface LaneList {
  readonly ids: readonly number[];
  readonly turns: readonly number[];
}

export interface ClaimAnswer {
  /** In the order of the contract: one job a name a turn. */
  readonly jobs: ClaimedJob[];
  readonly nextDueInMs: number | null;
  readonly horizon: number;
  /** Of each lane of which a job was taken, the last. */
  readonly lastTaken: ReadonlyMap<number, Position>;
}

export function listLanes(names: readonly string[], lanes: Lanes): LaneList {
  const ids: number[] = [];
  const turns: number[] = [];
  [...new Set(names)].forEach((name, turn) => {
    for (const id of lanes.listOf(name)) {
      ids.push(id);
      turns.push(turn);
    }
  });
  return { ids, turns };
}

export function claimQuery(
  { workerId, leaseToken, leaseMs, limit }: ClaimParams,
  { ids, turns }: LaneList,
  floors: readonly Position[],
  lastLaneNumber: number,
): Query {
  return {
    name: 'claim',
    text: `select ${COLUMNS} from {schema}.claim($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    values: [
      workerId,
      leaseToken,
      leaseMs,
      limit,
      arrayLiteral(ids),
      arrayLiteral(turns),
      arrayLiteral(floors.map(({ runAt }) => runAt)),
      arrayLiteral(floors.map(({ seq }) => seq)),
      lastLaneNumber,
    ],
  };
}

/** What a claim took whose answer was lost. */
export function claimedBeforeQuery({ leaseToken }: ClaimParams): Query {
  return {
    name: 'claimed_before',
    text: `select ${COLUMNS} from {schema}.claimed_before($1)`,
    values: [leaseToken],
  };
}

/** null: there are lanes that were not known, and nothing was taken. */
export function readClaim(rows: readonly Row[], params: ClaimParams, lanes: Lanes): ClaimAnswer | null {
  const summary = rows.at(-1);
  if (summary === undefined) return null;
  const taken = rows.slice(0, -1);
  const lastTaken = new Map<number, Position>();
  for (const [, lane, seq, , runAt] of taken) lastTaken.set(Number(lane), { runAt: Number(runAt), seq: Number(seq) });
  return {
    jobs: readClaimed(taken, params, lanes),
    nextDueInMs: readNumber(summary[4]),
    horizon: Number(summary[5]),
    lastTaken,
  };
}

export function readClaimed(rows: readonly Row[], params: ClaimParams, lanes: Lanes): ClaimedJob[] {
  return deal(
    rows.map((row) => readClaimedJob(row, params, lanes)),
    params.names,
  );
}

/** Deals jobs out one of a name a turn, as the limit was. Those of one name come in order. */
function deal(jobs: readonly ClaimedJob[], names: readonly string[]): ClaimedJob[] {
  if (names.length === 1) return [...jobs];
  const byName = new Map(names.map((name): [string, ClaimedJob[]] => [name, []]));
  for (const job of jobs) byName.get(job.name)?.push(job);
  const dealt: ClaimedJob[] = [];
  for (let turn = 0; dealt.length < jobs.length; turn++) {
    for (const ofName of byName.values()) {
      const job = ofName[turn];
      if (job !== undefined) dealt.push(job);
    }
  }
  return dealt;
}

function readClaimedJob(row: Row, { workerId, leaseMs }: ClaimParams, lanes: Lanes): ClaimedJob {
  const [id, lane, , attempt, runAt, startedAt, error, createdAt, maxAttempts, options, key, ...more] = row;
  const [scheduleId, occurrenceAt, argsIsJson, args, parentId, stepCount, signalCount, isResumed] = more;
  const { name, priority } = lanes.read(Number(lane));
  return {
    id: id as string,
    name,
    state: 'running',
    attempt: Number(attempt),
    options: readOptions(maxAttempts as string, options ?? null),
    priority,
    idempotencyKey: readKey(key ?? null),
    occurrence: readOccurrence(scheduleId, occurrenceAt),
    parentId: parentId ?? null,
    stepCount: Number(stepCount),
    signalCount: Number(signalCount),
    isSuspended: false,
    isCancelRequested: false,
    isResumed: isResumed === 't',
    createdAt: Number(createdAt),
    runAt: Number(runAt),
    startedAt: Number(startedAt),
    finishedAt: null,
    workerId,
    leaseExpiresAt: Number(startedAt) + leaseMs,
    error: readError(error ?? null),
    args: readPayload(argsIsJson as string, args as string),
    result: null,
  };
}
