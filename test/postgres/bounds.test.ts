import { describe, expect, it } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import { ids, newJob } from '../processes/new-job.ts';
import { freshSchema, open, serverUrl, urlWith } from './postgres-fixture.ts';

const MIB = 1_048_576;

describe('a storage on Postgres', () => {
  it('keeps the rows that counts are summed of few, however many names have jobs', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema }));
    const names = Array.from({ length: 100 }, (_, i) => `name-${i}`);
    for (let i = 0; i < 100; i++) await storage.enqueue({ jobs: names.map((name) => newJob({ name })) });
    await storage.close();
    const [row] = await query(serverUrl, `select count(*)::int from ${schema}.counts`);
    expect(row?.count).toBeLessThan(5000);
    const again = await open(urlWith({ schema }));
    expect((await again.counts()).every(({ pending }) => pending === 100)).toBe(true);
  });

  it('settles many large results in statements of bounded size', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema }));
    await storage.enqueue({ jobs: Array.from({ length: 12 }, () => newJob()) });
    await query(
      serverUrl,
      `create table ${schema}.statements (bytes bigint);
      create function ${schema}.note() returns trigger language plpgsql as $$ begin
        insert into ${schema}.statements select sum(octet_length(result)) from ended; return null; end $$;
      create trigger note after insert on ${schema}.finished referencing new table as ended
        for each statement execute function ${schema}.note()`,
    );
    const token = ids.next();
    const { jobs } = await storage.claim({
      workerId: 'w',
      leaseToken: token,
      names: ['test:job'],
      limit: 12,
      leaseMs: 60_000,
    });
    const result = { encoding: 'msgpack', bytes: Buffer.alloc(3 * MIB, 7) } as const;
    const outcome = { kind: 'success', result } as const;
    const settlements = jobs.map(({ id }) => ({ lease: { jobId: id, attempt: 1, token }, outcome }));
    const results = await storage.settle({ settlements });
    expect(results.filter(({ status }) => status === 'settled')).toHaveLength(12);
    const statements = await query(serverUrl, `select bytes::int from ${schema}.statements`);
    expect(statements.length).toBeGreaterThan(2);
    for (const { bytes } of statements) expect(bytes).toBeLessThan(16 * MIB);
  });

  it('lives beside tables of others, which it need not have any right to', async () => {
    const schema = freshSchema();
    await query(serverUrl, `create schema ${schema}; create table ${schema}.secrets (id int)`);
    const storage = await open(urlWith({ schema }));
    expect(await storage.enqueue({ jobs: [newJob()] })).toHaveLength(1);
  });
});
