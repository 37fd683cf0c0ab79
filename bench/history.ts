import { Client } from 'pg';
import { encodePayload } from '../src/core/payload.ts';
import type { PostgresTarget } from './storage-under-test.ts';
import { ARGUMENTS } from './workload.ts';

const BATCH_JOBS = 250_000;

/**
 * Puts jobs that have ended well straight into the tables of the storage `name`, one for each past millisecond, as
 * enqueue and settle would have left them. A job of the same name must have been enqueued before.
 */
export async function insertHistory(target: PostgresTarget, name: string, jobs: number): Promise<void> {
  const schema = `"${target.schemaOf(name)}"`;
  const client = new Client(target.serverUrl);
  await client.connect();
  try {
    await client.query(`set synchronous_commit = off; set search_path = ${schema}`);
    for (let done = 0; done < jobs; done += BATCH_JOBS) {
      const values = [Math.min(BATCH_JOBS, jobs - done), jobs - done, encodePayload(ARGUMENTS, 'args').bytes];
      await client.query(INSERT, values);
    }
    // After weeks in which so many jobs came, both would have been done.
    for (const table of ['jobs', 'finished']) await client.query(`vacuum (analyze) ${table}`);
    // Not while the claims are timed. It takes a superuser, so elsewhere it may come then.
    await client.query('checkpoint').catch(() => {});
  } finally {
    await client.end();
  }
}

/** $1 jobs, the first of them $2 ms ago. Ids are UUIDv7, as the library makes them. */
const INSERT = `
  with lane as (
    select max(id) as lane, floor(date_part('epoch', now()) * 1000) as now_ms from lanes
  ), given as materialized (
    select lane, now_ms - $2::int + i as at_ms, i - $2::int as seq,
      (lpad(to_hex((now_ms - $2::int + i)::bigint), 12, '0') || '7' || lpad(to_hex(i % 4096), 3, '0') || '8'
        || lpad(to_hex($2::bigint * 1000000 + i), 15, '0'))::uuid as id
    from lane, generate_series(1, $1::int) i
  ), enqueued as (
    insert into jobs (id, seq, created_at, due_at, lane, max_attempts, args_is_json, args)
    select id, seq, at_ms, at_ms, lane, 3, false, $3 from given
  ), ended as (
    insert into finished (id, finished_at, run_at, started_at, state, lane, attempt, settled_attempt, settled_token, worker_id)
    select id, at_ms + 10, at_ms, at_ms + 5, 'success', lane, 1, 1, id, 'bench' from given
  )
  insert into counts (name_id, success) select lane >> 8, $1::int from lane`;
