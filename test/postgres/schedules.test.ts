import { describe, expect, it, onTestFinished } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import { TcpProxy } from '../../postgres-server/tcp-proxy.ts';
import { DEFAULT_JOB_OPTIONS } from '../../src/core/options.ts';
import { encodePayload } from '../../src/core/payload.ts';
import type { FiringStatus, NewSchedule, ScheduleFiring } from '../../src/core/schedule-operations.ts';
import type { ScheduleDefinition, ScheduleSummary } from '../../src/core/schedule-record.ts';
import type { Storage } from '../../src/core/storage.ts';
import { ids } from '../processes/new-job.ts';
import { connect, expectNoScans, freshSchema, open, serverUrl, urlWith } from './postgres-fixture.ts';

/** 2100-01-01T00:00:00Z. */
const FAR = 4_102_444_800_000;

function newSchedule(nextRunAt: number | null = 1000, change: Partial<ScheduleDefinition> = {}): NewSchedule {
  const id = ids.next();
  return {
    id,
    name: `schedule ${id}`,
    nextRunAt,
    definition: {
      jobName: 'test:job',
      cron: '* * * * *',
      timezone: 'UTC',
      options: DEFAULT_JOB_OPTIONS,
      priority: 0,
      catchUp: 'latest',
      catchUpLimit: 100,
      overlap: 'allow',
      args: encodePayload([], 'args'),
      ...change,
    },
  };
}

/** The first firing of a schedule, unless `change` says otherwise. */
function firingOf({ id }: NewSchedule, change: Partial<ScheduleFiring> = {}): ScheduleFiring {
  return { scheduleId: id, revision: 1, jobs: [{ id: ids.next(), dueAt: 1000 }], nextRunAt: FAR, ...change };
}

async function createMany(storage: Storage, count: number, change: Partial<ScheduleDefinition> = {}) {
  const schedules = Array.from({ length: count }, () => newSchedule(1000, change));
  await Promise.all(schedules.map((schedule) => storage.createSchedule({ schedule })));
  return schedules;
}

/** A storage behind a network that fails. */
async function openBehindProxy(schema: string): Promise<Readonly<{ storage: Storage; proxy: TcpProxy }>> {
  const proxy = await TcpProxy.start({ targetPort: Number(new URL(serverUrl).port) });
  onTestFinished(() => proxy.stop());
  const url = new URL(urlWith({ schema, listen: 'off', poolMax: '2' }));
  url.port = String(proxy.port);
  return { storage: await open(url.href), proxy };
}

/** Cuts the connection in place of the next answer that has `text` in it. */
function loseAnswer(proxy: TcpProxy, text: string): Promise<void> {
  return proxy.cutAfter({ direction: 'toClient', matches: (chunk) => chunk.includes(text), isForwarded: false });
}

async function pendingOf(storage: Storage): Promise<number> {
  return (await storage.counts()).reduce((sum, { pending }) => sum + pending, 0);
}

describe('schedules whose answer was lost', () => {
  it('are made once', async () => {
    const { storage, proxy } = await openBehindProxy(freshSchema());
    await createMany(storage, 1);
    const schedule = newSchedule();
    const lost = loseAnswer(proxy, schedule.id);
    const created = await storage.createSchedule({ schedule });
    await lost;
    expect([created.isNew, created.schedule.id, created.schedule.revision]).toEqual([true, schedule.id, 1]);
    expect(await storage.listSchedules({ states: ['active'], limit: 10, offset: 0 })).toMatchObject({ total: 2 });
  });

  it('are changed once, and others who want the same meanwhile are told of the conflict', async () => {
    const { storage, proxy } = await openBehindProxy(freshSchema());
    const [schedule] = (await createMany(storage, 1)) as [NewSchedule];
    const { id, definition } = schedule;
    const change = { id, revision: 1, definition, state: 'paused', nextRunAt: null } as const;
    const lost = loseAnswer(proxy, id);
    expect(await storage.updateSchedule(change)).toMatchObject({ status: 'changed', schedule: { revision: 2 } });
    await lost;
    expect(await storage.updateSchedule(change)).toEqual({ status: 'conflict' });
  });

  it('are not taken for changed where somebody else has changed them', async () => {
    const schema = freshSchema();
    const { storage, proxy } = await openBehindProxy(schema);
    const [schedule] = (await createMany(storage, 1)) as [NewSchedule];
    const { id, definition } = schedule;
    await query(
      serverUrl,
      `create function ${schema}.intrude() returns trigger language plpgsql as $$ begin
        new.catch_up_limit := 7; return new; end $$;
      create trigger intrude before update on ${schema}.schedules for each row execute function ${schema}.intrude()`,
    );
    const lost = loseAnswer(proxy, id);
    const change = { id, revision: 1, definition, state: 'active', nextRunAt: FAR } as const;
    expect(await storage.updateSchedule(change)).toEqual({ status: 'conflict' });
    await lost;
  });

  it('are fired once', async () => {
    const { storage, proxy } = await openBehindProxy(freshSchema());
    const [schedule] = (await createMany(storage, 1)) as [NewSchedule];
    const firings = [firingOf(schedule)];
    const lost = loseAnswer(proxy, 'is_overlapped');
    await expect(storage.fireSchedules({ firings })).rejects.toMatchObject({ code: 'storage_unavailable' });
    await lost;
    expect(await storage.fireSchedules({ firings })).toEqual(['stale']);
    expect(await pendingOf(storage)).toBe(1);
  });
});

describe('firings', () => {
  it('leave those that somebody else is at, and wait for nobody', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema, listen: 'off' }));
    const [held, free] = (await createMany(storage, 2)) as [NewSchedule, NewSchedule];
    const other = await connect();
    await other.query('begin');
    await other.query(`select from ${schema}.schedules where id = $1 for update`, [held.id]);
    const firings = [firingOf(held), firingOf(free)];
    expect(await storage.fireSchedules({ firings })).toEqual(['stale', 'fired']);
    await other.query('rollback');
    expect(await storage.fireSchedules({ firings })).toEqual(['fired', 'stale']);
    expect(await pendingOf(storage)).toBe(2);
  });

  it('from several storages in any order, with changes among them, meet no deadlock and make each job once', async () => {
    const schema = freshSchema();
    const storages = await Promise.all([1, 2, 3].map(() => open(urlWith({ schema, listen: 'off' }))));
    const first = storages[0] as Storage;
    for (let round = 0; round < 5; round++) {
      const schedules = await createMany(first, 60);
      const change = (schedule: NewSchedule, storage: Storage) =>
        storage.updateSchedule({ ...schedule, revision: 1, state: 'active' });
      const calls = storages.map(async (storage, i) => {
        const turned = [...schedules.slice(20 * i), ...schedules.slice(0, 20 * i)];
        const [statuses, changes] = await Promise.all([
          storage.fireSchedules({ firings: turned.reverse().map((schedule) => firingOf(schedule)) }),
          Promise.all(schedules.slice(0, 20).map((schedule) => change(schedule, storage))),
        ]);
        return { statuses, changes };
      });
      const results = await Promise.all(calls);
      const fired = results.flatMap(({ statuses }) => statuses).filter((status) => status === 'fired').length;
      const changed = results.flatMap(({ changes }) => changes).filter(({ status }) => status === 'changed').length;
      // Whoever finds a schedule locked leaves it; so do all if it is changed in the end.
      expect(fired + changed).toBe(60);
    }
    expect(await pendingOf(first)).toBe((await query(serverUrl, `select from ${schema}.jobs`)).length);
  });

  it('may make many jobs, claimed in the order of their occurrences', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema, listen: 'off' }));
    const schedules = await createMany(storage, 4, { args: encodePayload(['x'.repeat(5000)], 'args') });
    const occurrences = Array.from({ length: 1000 }, (_, i) => 1000 + i);
    const counts = [1000, 1000, 0, 5];
    const firings = schedules.map((schedule, i) =>
      firingOf(schedule, { jobs: occurrences.slice(0, counts[i]).map((dueAt) => ({ id: ids.next(), dueAt })) }),
    );
    const expected: FiringStatus[] = ['fired', 'fired', 'fired', 'fired'];
    expect(await storage.fireSchedules({ firings })).toEqual(expected);
    expect(await pendingOf(storage)).toBe(2005);
    const rows = await query(
      serverUrl,
      `select schedule_id, array_agg(occurrence_at order by seq) = array_agg(occurrence_at order by occurrence_at) as sorted,
        min(octet_length(args)) > 5000 as is_whole from ${schema}.jobs group by 1`,
    );
    expect(rows).toHaveLength(3);
    expect(rows.every(({ sorted, is_whole: isWhole }) => sorted && isWhole)).toBe(true);
    const { schedules: stored } = await storage.listSchedules({ states: ['active'], limit: 10, offset: 0 });
    const lastJobIds = new Map(stored.map(({ id, lastJobId }) => [id, lastJobId]));
    for (const { scheduleId, jobs } of firings) expect(lastJobIds.get(scheduleId)).toBe(jobs.at(-1)?.id ?? null);
  });
});

describe('durability of schedules', () => {
  it('is that of jobs', async () => {
    const schema = freshSchema();
    const setUp = await open(urlWith({ schema }));
    await query(
      serverUrl,
      `create table ${schema}.seen (setting text);
      create function ${schema}.see() returns trigger language plpgsql as $$ begin
        insert into ${schema}.seen values (current_setting('synchronous_commit')); return null; end $$;
      create trigger see after insert or update on ${schema}.schedules execute function ${schema}.see()`,
    );
    await setUp.close();
    const off = { options: '-c synchronous_commit=off' };
    for (const [parameters, durability, expected] of [
      [off, 'strict', 'on'],
      [{}, 'relaxed', 'off'],
    ] as const) {
      const storage = await open(urlWith({ schema, listen: 'off', ...parameters }), { durability });
      const schedule = newSchedule();
      await storage.createSchedule({ schedule });
      await storage.updateSchedule({ ...schedule, revision: 1, state: 'active' });
      await storage.fireSchedules({ firings: [firingOf(schedule, { revision: 2 })] });
      const seen = await query(serverUrl, `delete from ${schema}.seen returning setting`);
      expect(seen.map(({ setting }) => setting)).toEqual([expected, expected, expected]);
    }
  });
});

describe('beside 20 000 idle schedules', () => {
  const IDLE = 20_000;

  /** How many rows and index entries of schedules `work` has the server read. */
  async function countReads(schema: string, work: (storage: Storage) => Promise<unknown>): Promise<number> {
    const read = async (): Promise<number> => {
      // A connection that ends hands in its statistics first.
      const count = `select from pg_stat_activity where application_name = '${schema}'`;
      await expect.poll(() => query(serverUrl, count)).toHaveLength(0);
      const [row] = await query(
        serverUrl,
        `select sum(reads)::int as reads from (
          select seq_tup_read from pg_stat_user_tables where schemaname = $1 and relname = 'schedules'
          union all select idx_tup_read from pg_stat_user_indexes where schemaname = $1 and relname = 'schedules') r(reads)`,
        [schema],
      );
      return row?.reads;
    };
    const before = await read();
    const storage = await open(urlWith({ schema, listen: 'off', application_name: schema }));
    await work(storage);
    await storage.close();
    return (await read()) - before;
  }

  async function addIdle(schema: string): Promise<void> {
    await query(
      serverUrl,
      `insert into ${schema}.schedules (id, name, state, lane, next_run_at, revision, created_at, updated_at, cron, timezone,
        catch_up, catch_up_limit, overlap, max_attempts, args_is_json, args)
      select gen_random_uuid(), 'idle ' || i, state, lane, next_run_at + i, revision, created_at, updated_at, cron, timezone,
        catch_up, catch_up_limit, overlap, max_attempts, args_is_json, args
      from (select * from ${schema}.schedules limit 1) s, generate_series(1, ${IDLE}) i`,
    );
    await query(serverUrl, `analyze ${schema}.schedules`);
  }

  async function makeAndFire(storage: Storage): Promise<void> {
    for (let round = 0; round < 20; round++) {
      await createMany(storage, 10, { overlap: 'skip' });
      const { schedules, nextDueInMs } = await storage.listDueSchedules({ limit: 1000 });
      expect([schedules.length, (nextDueInMs as number) > 0]).toEqual([10, true]);
      const firings = schedules.map(({ id }) => firingOf(newSchedule(), { scheduleId: id }));
      expect(await storage.fireSchedules({ firings })).toEqual(Array(10).fill('fired'));
      const { id } = schedules[0] as ScheduleSummary;
      const { status } = await storage.updateSchedule({ ...newSchedule(FAR), id, revision: 2, state: 'active' });
      expect(status).toBe('changed');
      for (const idOrName of [id, 'idle 7', ids.next()]) await storage.getSchedule({ idOrName });
      await storage.listSchedules({ states: ['paused'], limit: 10, offset: 0 });
    }
  }

  it('those that are due cost what they cost alone', async () => {
    const reads: number[] = [];
    const schemas = [freshSchema(), freshSchema()] as const;
    for (const schema of schemas) {
      await countReads(schema, (storage) => storage.createSchedule({ schedule: newSchedule(FAR) }));
      if (schema === schemas[1]) await addIdle(schema);
      reads.push(await countReads(schema, makeAndFire));
    }
    const [alone, beside] = reads as [number, number];
    // A single look at all of them would show; what snapshots of others keep from being cleaned up does not.
    expect(beside).toBeLessThan(alone + IDLE / 2);
    expect(alone).toBeLessThan(IDLE / 2);
    // The control: who counts them all reads them all, once, and the page is read in order.
    const countAll = (storage: Storage) => storage.listSchedules({ states: ['active'], limit: 1, offset: 0 });
    expect((await countReads(schemas[1], countAll)) / IDLE).toBeCloseTo(1, 1);
  });
});

describe('no statement about schedules', () => {
  it('scans a table, whatever its statistics say', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema, listen: 'off' }));
    await query(serverUrl, 'analyze');
    for (let round = 0; round < 7; round++) {
      const schedules = await createMany(storage, 30, { overlap: 'skip' });
      const [first] = schedules as [NewSchedule];
      const again = { ...first, id: ids.next() };
      expect(await storage.createSchedule({ schedule: again })).toMatchObject({ isNew: false });
      const { schedules: due } = await storage.listDueSchedules({ limit: 50 });
      const firings = due.map(({ id }) => firingOf(first, { scheduleId: id }));
      await storage.fireSchedules({ firings });
      await storage.updateSchedule({ ...first, revision: 2, state: 'deleted', nextRunAt: null });
      for (const idOrName of [first.id, first.name, 'nobody']) await storage.getSchedule({ idOrName });
      await storage.listSchedules({ states: ['paused', 'active', 'deleted'], limit: 10, offset: 5 });
    }
    await storage.close();
    await expectNoScans(schema, ['schedules', 'jobs', 'queue']);
  });
});
