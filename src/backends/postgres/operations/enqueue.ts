import { ReseolioError } from '../../../core/errors.ts';
import { describeValue } from '../../../core/options.ts';
import type { EnqueueResult, NewJob } from '../../../core/storage.ts';
import { arrayLiteral, byteaArrayLiteral, textArrayLiteral } from '../array-literal.ts';
import type { Lanes } from '../lanes.ts';
import { channelOf, writeNotification } from '../notifications.ts';
import { writeOptions } from '../options-column.ts';
import { asBuffer, PayloadPack } from '../payload-column.ts';
import type { CommitSetting, Query, Row, Value } from '../query.ts';

/** What holds for the transaction of an enqueue. */
export interface EnqueueSettings {
  readonly commit: CommitSetting;
  /** How long it may wait for another transaction that has stored the same key; null: as the server has it. */
  readonly lockTimeoutMs: number | null;
}

/** Stores one job, with no answer to what was there before: its rows are one `t`, or `f` and nothing was stored. */
export function enqueueJobQuery(job: NewJob, lanes: Lanes, settings: EnqueueSettings): Query {
  const { id, name, priority, delayMs, runAt, options, idempotencyKey, args } = job;
  return {
    name: 'enqueue_job',
    text: 'select {schema}.enqueue_job($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    values: [
      id,
      lanes.idOf(name, priority),
      delayMs,
      runAt,
      options.maxAttempts,
      writeOptions(options),
      idempotencyKey === null ? null : Buffer.from(idempotencyKey),
      args.encoding === 'json',
      asBuffer(args.bytes),
      settings.commit,
      settings.lockTimeoutMs,
    ],
  };
}

/** Stores jobs, all or none. {@link readEnqueued} reads the rows. */
export function enqueueJobsQuery(jobs: readonly NewJob[], lanes: Lanes, settings: EnqueueSettings): Query {
  return {
    name: 'enqueue_jobs',
    text: 'select place, job_id from {schema}.enqueue_jobs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
    values: [
      arrayLiteral(jobs.map(({ id }) => id)),
      arrayLiteral(jobs.map(({ name, priority }) => lanes.idOf(name, priority))),
      ...columnsOf(jobs),
      settings.commit,
      settings.lockTimeoutMs,
    ],
  };
}

/**
 * As {@link enqueueJobsQuery}, in a transaction of the caller's, and as part of it a NOTIFY, which the server sends when
 * it commits. With `lanes` null it finds the lanes itself, and adds those that are missing.
 */
export function enqueueInTransactionQuery(jobs: readonly NewJob[], lanes: Lanes | null, schema: string): Query {
  const work = [...new Set(jobs.map(({ name }) => name))];
  const values: Value[] = [
    arrayLiteral(jobs.map(({ id }) => id)),
    ...columnsOf(jobs),
    channelOf(schema),
    writeNotification({ origin: null, work, finished: [], signals: [], hasSchedules: false, isLate: true }),
  ];
  if (lanes === null) {
    values.push(arrayLiteral(jobs.map(({ name }) => name)), arrayLiteral(jobs.map(({ priority }) => priority)));
  } else {
    values.push(arrayLiteral(jobs.map(({ name, priority }) => lanes.idOf(name, priority))));
  }
  return {
    name: null,
    text: `select place, job_id from {schema}.enqueue_jobs(
        $1, ${lanes === null ? '{schema}.lanes_of($13, $14)' : '$13'},
        $2, $3, $4, $5, $6, $7, $8, $9, $10, null, null)
      union all select null, null from pg_notify($11, $12)`,
    values,
  };
}

/** What `enqueue_jobs` takes of each job beside its id and its lane: ten columns. */
export function columnsOf(jobs: readonly NewJob[]): Value[] {
  const payloads = new PayloadPack();
  for (const { args } of jobs) payloads.add(args);
  return [
    arrayLiteral(jobs.map(({ delayMs }) => delayMs)),
    arrayLiteral(jobs.map(({ runAt }) => runAt)),
    arrayLiteral(jobs.map(({ options }) => options.maxAttempts)),
    textArrayLiteral(jobs.map(({ options }) => writeOptions(options))),
    byteaArrayLiteral(jobs.map(({ idempotencyKey }) => idempotencyKey)),
    arrayLiteral(payloads.isJson),
    arrayLiteral(payloads.starts),
    arrayLiteral(payloads.lengths),
    payloads.bytes(),
  ];
}

/** Rows by column name, in whatever form a client gives them, as {@link readEnqueued} reads them. */
export function readTransactionRows(answer: unknown): Row[] {
  const rows: unknown = Array.isArray(answer) ? answer : (answer as { rows?: unknown } | null)?.rows;
  if (!Array.isArray(rows)) {
    throw new ReseolioError(
      'invalid_argument',
      `tx.query() resolved with ${describeValue(answer)}: it must give rows, or an object with rows`,
    );
  }
  return rows.map(({ place, job_id: jobId }: { place: unknown; job_id: unknown }) => [
    place === null ? null : String(place),
    jobId === null ? null : String(jobId),
  ]);
}

/** The rows name the jobs that were known by their key, by place from 1. All others are stored under their own id. */
export function readEnqueued(jobs: readonly NewJob[], rows: readonly Row[]): EnqueueResult[] {
  const results = jobs.map(({ id }): EnqueueResult => ({ jobId: id, deduplicated: false }));
  for (const [place, jobId] of rows) {
    // A row of another statement that goes along has none.
    if (place !== null) results[Number(place) - 1] = { jobId: jobId as string, deduplicated: true };
  }
  return results;
}
