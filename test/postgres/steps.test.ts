import { describe, expect, it } from 'vitest';
import { query } from '../../postgres-server/query.ts';
import type { Lease } from '../../src/core/job.ts';
import { NEVER_DUE } from '../../src/core/options.ts';
import type { NewJob, SettleResult, Storage } from '../../src/core/storage.ts';
import { ids, newJob } from '../processes/new-job.ts';
import { connect, freshSchema, serverUrl } from './postgres-fixture.ts';
import { BODY, call, claim, get, openTwo, record, settle, start, success, suspension } from './steps-fixture.ts';

const PARENTS = 40;

/** Parents that are suspended at the time at which their children end: how many of them are due then. */
async function race(one: Storage, other: Storage, round: number): Promise<number> {
  const [parentName, childName] = [`parent:${round}`, `child:${round}`];
  const parents = await start(
    one,
    Array.from({ length: PARENTS }, () => newJob({ name: parentName })),
  );
  const childIds = await Promise.all(
    parents.map((lease) =>
      record(
        one,
        lease,
        [1, 2].map(() => call(newJob({ name: childName }))),
      ),
    ),
  );
  const children = new Map((await claim(other, childName, 2 * PARENTS)).map((lease) => [lease.jobId, lease]));
  await Promise.all(
    parents.flatMap((lease, i) => {
      const own = childIds[i] as string[];
      const ends = own.map((id) => settle(other, success(children.get(id) as Lease)));
      const suspends = settle(one, suspension(lease, own));
      return i % 2 === 0 ? [...ends, suspends] : [suspends, ...ends];
    }),
  );
  return (await claim(one, parentName, PARENTS + 1)).length;
}

/** Makes those who suspend lock themselves alone. */
async function plantLostWakeUps(schema: string): Promise<void> {
  const name = `${schema}.suspend`;
  const [row] = await query(serverUrl, 'select pg_get_functiondef($1::regproc) as sql', [name]);
  const sql = String(row?.sql);
  expect(sql).toContain('lock_jobs(p_ids || p_awaits)');
  await query(serverUrl, sql.replace('lock_jobs(p_ids || p_awaits)', 'lock_jobs(p_ids)'));
}

describe('a job that awaits others', () => {
  it('is due in the end, however its suspension and their ends meet', async () => {
    const [one, other] = await openTwo();
    for (let round = 0; round < 10; round++) expect(await race(one, other, round)).toBe(PARENTS);
  });

  it('would miss an end, now and then, if it did not lock what it awaits', async () => {
    const schema = freshSchema();
    const [one, other] = await openTwo(schema);
    await plantLostWakeUps(schema);
    let due = PARENTS;
    for (let round = 0; round < 200 && due === PARENTS; round++) due = await race(one, other, round);
    expect(due).toBeLessThan(PARENTS);
  });

  it('is woken by the first of them that ends, and waits for the rest anew', async () => {
    const [one, other] = await openTwo();
    const [parent] = (await start(one, [newJob()])) as [Lease];
    const jobIds = (await record(
      one,
      parent,
      Array.from({ length: 20 }, () => call(newJob({ name: 'child' }))),
    )) as string[];
    let lease = parent;
    const left = new Set(jobIds);
    for (const child of await claim(other, 'child', 20)) {
      expect(await settle(one, suspension(lease, [...left]))).toMatchObject([{ state: 'pending', runAt: NEVER_DUE }]);
      expect(await claim(one, 'test:job', 1)).toEqual([]);
      await settle(other, success(child));
      left.delete(child.jobId);
      [lease] = (await claim(one, 'test:job', 1)) as [Lease];
      expect(lease).toMatchObject({ jobId: parent.jobId, attempt: 1 });
    }
  });

  it('is not waited for by those who take lost jobs back: what would wake it is left to the next call', async () => {
    const schema = freshSchema();
    const [storage] = await openTwo(schema);
    const [parent] = (await start(storage, [newJob()])) as [Lease];
    const child = newJob({ name: 'child', options: { ...newJob().options, maxAttempts: 1 } });
    await record(storage, parent, [call(child)]);
    const [lost] = (await claim(storage, 'child', 1)) as [Lease];
    await settle(storage, suspension(parent, [child.id]));
    await storage.extendLeases({ leases: [lost], leaseMs: 0 });
    const client = await connect();
    await client.query('begin');
    await client.query(`select from ${schema}.queue where id = $1 for update`, [parent.jobId]);
    expect(await storage.reclaimExpired({ limit: 10 })).toEqual({ jobs: [], nextExpiryInMs: 0 });
    await client.query('rollback');
    expect((await storage.reclaimExpired({ limit: 10 })).jobs).toMatchObject([{ jobId: child.id, state: 'dead' }]);
    expect(await claim(storage, 'test:job', 1)).toMatchObject([{ jobId: parent.jobId }]);
  });
});

describe('a circle of jobs that await each other', () => {
  it('is closed by a job that awaits itself more than once', async () => {
    const [storage] = await openTwo();
    const [{ jobId, ...lease }] = (await start(storage, [newJob()])) as [Lease];
    expect(await settle(storage, suspension({ jobId, ...lease }, [jobId, jobId]))).toMatchObject([{ state: 'dead' }]);
  });

  it('never closes, even if several close it at the same time at different places', async () => {
    const [one, other] = await openTwo();
    for (let round = 0; round < 20; round++) {
      const name = `circle:${round}`;
      const leases = await start(
        one,
        Array.from({ length: 6 }, () => newJob({ name })),
      );
      const suspend = (storage: Storage, place: number): Promise<SettleResult[]> =>
        settle(storage, suspension(leases[place] as Lease, [(leases[(place + 1) % 6] as Lease).jobId]));
      await Promise.all([suspend(one, 0), suspend(other, 2), suspend(one, 4)]);
      await Promise.all([suspend(other, 1), suspend(one, 3), suspend(other, 5)]);
      // Whoever would have closed it is dead, and who awaited that is due.
      const jobs = await Promise.all(leases.map(({ jobId }) => get(one, jobId)));
      const dead = jobs.filter(({ state }) => state === 'dead');
      expect(dead).toHaveLength(1);
      expect(dead[0]?.error?.name).toBe('WaitCycleError');
      expect(jobs.filter(({ runAt, state }) => state === 'pending' && runAt < NEVER_DUE)).toHaveLength(1);
    }
  });
});

describe('steps with keyed children', () => {
  it('wait for a transaction that holds a key, but hold up nobody else', async () => {
    const schema = freshSchema();
    const [one] = await openTwo(schema);
    const leases = (await start(one, [newJob(), newJob(), newJob()])) as [Lease, Lease, Lease];
    const keyed = (key: string): NewJob => newJob({ name: 'child', idempotencyKey: key });
    const client = await connect();
    await client.query('begin');
    const held = keyed('held');
    await one.enqueueInTransaction({ jobs: [held], transaction: client });
    const waiting = record(one, leases[0], [call(keyed('held'))]);
    const free = keyed('free');
    expect(await record(one, leases[1], [call(free)])).toEqual([free.id]);
    expect(await record(one, leases[2], [call(newJob({ name: 'child' }))])).toHaveLength(1);
    await client.query('commit');
    expect(await waiting).toEqual([held.id]);
    expect(await get(one, held.id)).toMatchObject({ parentId: null });
    expect(await get(one, leases[0].jobId)).toMatchObject({ stepCount: 1 });
  });

  it('of one recording with the same key are one job', async () => {
    const [one] = await openTwo();
    const [lease] = (await start(one, [newJob()])) as [Lease];
    const children = [1, 2].map(() => newJob({ name: 'child', idempotencyKey: 'same' })) as [NewJob, NewJob];
    expect(await record(one, lease, children.map(call))).toEqual([children[0].id, children[0].id]);
    expect(await get(one, children[0].id)).toMatchObject({ parentId: lease.jobId });
  });
});

describe('recordings that go together', () => {
  it('are each as if it were alone: what is repeated, or has lost its lease, keeps nobody from being stored', async () => {
    const [one] = await openTwo();
    const leases = (await start(one, [newJob(), newJob(), newJob()])) as [Lease, Lease, Lease];
    const children = leases.map(() => newJob({ name: 'child' }));
    const recordings = leases.map((lease, i) => ({
      lease: i === 1 ? { ...lease, token: ids.next() } : lease,
      from: 0,
      steps: [call(children[i] as NewJob), { body: BODY, child: null }],
    }));
    const repeated = recordings.slice(0, 1);
    const [first] = await one.recordSteps({ recordings: repeated });
    expect(await one.recordSteps({ recordings })).toEqual([
      first,
      { status: 'lease_lost' },
      { status: 'recorded', jobIds: [children[2]?.id, null] },
    ]);
    const { jobs, total } = await one.listJobs({
      states: ['pending'],
      names: ['child'],
      parentId: leases[2].jobId,
      limit: 10,
      offset: 0,
      orderBy: 'createdAt',
      isAscending: true,
    });
    expect([total, jobs.map(({ id }) => id)]).toEqual([1, [children[2]?.id]]);
    expect(await one.getSteps({ jobId: leases[2].jobId, from: 1, limit: 5 })).toEqual([
      { jobId: null, body: Buffer.from(BODY) },
    ]);
  });
});

describe('what other processes hear', () => {
  it('is that a job was sent a signal, and that it was asked to stop', async () => {
    const [one, other] = await openTwo();
    const [lease] = (await start(one, [newJob()])) as [Lease];
    const heard: (readonly string[] | null)[] = [];
    other.watch((hint) => {
      if (hint.kind === 'signals') heard.push(hint.jobIds);
    });
    await one.signal({ signals: [{ id: ids.next(), jobId: lease.jobId, name: 'go', payload: null }] });
    await expect.poll(() => heard).toEqual([[lease.jobId]]);
    await one.cancel({ jobIds: [lease.jobId], isRunningIncluded: true });
    await expect.poll(() => heard).toEqual([[lease.jobId], [lease.jobId]]);
  });
});
