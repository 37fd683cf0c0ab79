import { setImmediate } from 'node:timers/promises';
import { Client } from 'pg';
import { encodePayload } from '../../src/core/payload.ts';
import { type Figure, figureOf } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import { callAtOnce, rateRounds } from '../rounds.ts';
import type { PostgresTarget } from '../storage-under-test.ts';
import { ARGUMENTS } from '../workload.ts';

const CALLERS = 100;

/** What Postgres itself needs for durable rows of many callers: the reference for 100 callers at once. */
export async function measureBarePostgres(context: MeasureContext<PostgresTarget>): Promise<Figure[]> {
  const { serverUrl, schemaOf } = context.storage;
  const client = new Client(serverUrl);
  await client.connect();
  const table = `"${schemaOf('floor')}".coalesced`;
  await client.query(`create table ${table} (id bigint primary key, body bytea not null)`);
  const insert = coalesce(client, `insert into ${table} (id, body) select * from unnest($1::bigint[], $2::bytea[])`);
  const rounds = await rateRounds(context, () => callAtOnce(insert, CALLERS, context.plan.roundMs));
  await client.end();
  return [figureOf({ name: `bare INSERTs, ${CALLERS} at once`, unit: '/s', rounds, goal: null })];
}

/** Rows that wait while a statement is under way go together in the next. */
function coalesce(client: Client, text: string): () => Promise<void> {
  const body = Buffer.from(encodePayload(ARGUMENTS, 'args').bytes);
  let lastId = 0;
  let underWay: Promise<unknown> = Promise.resolve();
  let next: Promise<void> | null = null;
  let rows = 0;
  const send = async (): Promise<void> => {
    await underWay;
    // Those whose rows were stored just now make their next calls first.
    await setImmediate();
    next = null;
    const values = [Array.from({ length: rows }, () => ++lastId), Array.from({ length: rows }, () => body)];
    rows = 0;
    underWay = client.query({ name: 'coalesced', text, values });
    await underWay;
  };
  return () => {
    rows++;
    next ??= send();
    return next;
  };
}
