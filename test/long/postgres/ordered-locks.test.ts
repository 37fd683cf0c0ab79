import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { query } from '../../../postgres-server/query.ts';
import type { Lease } from '../../../src/core/job.ts';
import { encodePayload } from '../../../src/core/payload.ts';
import type {
  AttemptOutcome,
  ChangeResult,
  EnqueueResult,
  NewJob,
  Settlement,
  Storage,
} from '../../../src/core/storage.ts';
import { open, serverUrl } from '../../postgres/postgres-fixture.ts';
import { ids, newJob } from '../../processes/new-job.ts';

const ROUNDS = 30;
const JOBS = 300;
const STORAGES = 3;
const ERROR = { name: 'Error', message: 'on purpose', stack: null };

/** A database for each test: the server counts deadlocks for each. */
let database: string;

async function openStorages(): Promise<Storage[]> {
  const url = serverUrl.replace(/\/postgres$/, `/${database}`);
  return Promise.all(Array.from({ length: STORAGES }, () => open(url)));
}

/** As the server counts them, who has counted what a connection met once that is closed. */
async function countDeadlocks(): Promise<number> {
  const [row] = await query(serverUrl, 'select deadlocks::int from pg_stat_database where datname = $1', [database]);
  return row?.deadlocks;
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

async function claimAll(storage: Storage, name: string): Promise<Lease[]> {
  const token = ids.next();
  const params = { workerId: 'w', leaseToken: token, names: [name], limit: JOBS, leaseMs: 60_000 };
  const { jobs } = await storage.claim(params);
  expect(jobs).toHaveLength(JOBS);
  return jobs.map(({ id, attempt }) => ({ jobId: id, attempt, token }));
}

function mixedOutcome(place: number): AttemptOutcome {
  if (place % 4 === 0) return { kind: 'retry', error: ERROR, delayMs: 60_000 };
  if (place % 4 === 1) return { kind: 'dead', error: ERROR };
  if (place % 4 === 2) return { kind: 'release' };
  return { kind: 'success', result: encodePayload(place, 'result') };
}

/** Of several calls that could change each job once, how often each was changed. */
function timesChanged(calls: readonly (readonly ChangeResult[])[]): number {
  return calls.flat().filter(({ status }) => status === 'changed').length;
}

beforeEach(async () => {
  database = `locks_${randomBytes(6).toString('hex')}`;
  await query(serverUrl, `create database ${database}`);
  return async () => {
    await query(serverUrl, `drop database ${database} with (force)`);
  };
});

describe('batches of the same jobs in opposite orders, from several storages', () => {
  it('settle, extend and cancel without a deadlock', async () => {
    const storages = (await openStorages()) as [Storage, Storage, Storage];
    for (let round = 0; round < ROUNDS; round++) {
      const name = `settle:${round}`;
      await storages[0].enqueue({ jobs: Array.from({ length: JOBS }, () => newJob({ name })) });
      const leases = await claimAll(storages[0], name);
      const settlements = leases.map((lease, i): Settlement => ({ lease, outcome: mixedOutcome(i) }));
      const [first, again, , ,] = await Promise.all([
        storages[0].settle({ settlements }),
        storages[1].settle({ settlements: settlements.toReversed() }),
        storages[2].extendLeases({ leases: shuffled(leases), leaseMs: 60_000 }),
        storages[1].extendLeases({ leases, leaseMs: 60_000 }),
        storages[2].cancel({ jobIds: shuffled(leases).map(({ jobId }) => jobId), isRunningIncluded: false }),
      ]);
      // Whichever came first, the other repeats what took effect. What was released or is to be retried, the cancel may
      // have ended before it was asked about again: the settle has taken effect all the same.
      expect([...first, ...again].filter(({ status }) => status === 'lease_lost')).toEqual([]);
    }
    await Promise.all(storages.map((storage) => storage.close()));
    expect(await countDeadlocks()).toBe(0);
  });

  it('cancel and retry without a deadlock, each job once', async () => {
    const storages = (await openStorages()) as [Storage, Storage, Storage];
    for (let round = 0; round < ROUNDS; round++) {
      const name = `change:${round}`;
      const jobs = Array.from({ length: JOBS }, () => newJob({ name }));
      const jobIds = jobs.map(({ id }) => id);
      await storages[0].enqueue({ jobs });
      const leases = await claimAll(storages[1], name);
      const settlements = leases.map((lease): Settlement => ({ lease, outcome: { kind: 'dead', error: ERROR } }));
      await storages[0].settle({ settlements });
      const retried = await Promise.all([
        storages[0].retry({ jobIds }),
        storages[1].retry({ jobIds: jobIds.toReversed() }),
        storages[2].retry({ jobIds: shuffled(jobIds) }),
      ]);
      expect(timesChanged(retried)).toBe(JOBS);
      const cancelled = await Promise.all([
        storages[0].cancel({ jobIds: shuffled(jobIds), isRunningIncluded: false }),
        storages[1].cancel({ jobIds: jobIds.toReversed(), isRunningIncluded: false }),
        storages[2].retry({ jobIds }),
      ]);
      expect(timesChanged(cancelled)).toBe(JOBS);
    }
    await Promise.all(storages.map((storage) => storage.close()));
    expect(await countDeadlocks()).toBe(0);
  });

  it('suspend, wake, signal and cancel parents while their children end without a deadlock, and wake each parent', async () => {
    const storages = (await openStorages()) as [Storage, Storage, Storage];
    for (let round = 0; round < ROUNDS; round++) {
      const [name, childName] = [`parent:${round}`, `child:${round}`];
      await storages[0].enqueue({ jobs: Array.from({ length: JOBS }, () => newJob({ name })) });
      const parents = await claimAll(storages[0], name);
      const child = () => ({ body: new Uint8Array(1), child: newJob({ name: childName }) });
      await storages[0].recordSteps({ recordings: parents.map((lease) => ({ lease, from: 0, steps: [child()] })) });
      const children = await claimAll(storages[1], childName);
      const ends = children.map((lease): Settlement => ({ lease, outcome: { kind: 'success', result: null } }));
      // Each awaits its own child and that of another, which is suspended or not.
      const suspensions = parents.map(
        (lease, i): Settlement => ({
          lease,
          outcome: {
            kind: 'suspend',
            wakeAt: null,
            awaits: [i, i + 1].map((place) => (children[place % JOBS] as Lease).jobId),
            signalsSeen: round % 2 === 0 ? null : 1,
          },
        }),
      );
      const jobIds = [...parents, ...children].map(({ jobId }) => jobId);
      const signals = () => shuffled(jobIds).map((jobId) => ({ id: ids.next(), jobId, name: 'go', payload: null }));
      const half = Math.floor(JOBS / 2);
      await Promise.all([
        storages[0].settle({ settlements: suspensions.slice(half) }),
        storages[1].settle({ settlements: ends.slice(0, half) }),
        storages[2].settle({ settlements: shuffled(suspensions) }),
        storages[2].settle({ settlements: shuffled(ends) }),
        storages[1].signal({ signals: signals() }),
        storages[2].signal({ signals: signals() }),
        storages[0].extendLeases({ leases: shuffled(children), leaseMs: 60_000 }),
        storages[1].cancel({ jobIds: shuffled(jobIds.slice(0, 20)), isRunningIncluded: round % 3 === 0 }),
      ]);
      const found = await storages[1].getJobs({ jobIds: parents.map(({ jobId }) => jobId) });
      expect(found.filter((job) => job?.state === 'pending' && job.runAt > Date.now() + 60_000)).toEqual([]);
    }
    await Promise.all(storages.map((storage) => storage.close()));
    expect(await countDeadlocks()).toBe(0);
  });

  it('enqueue with the same keys without a deadlock, one job a key', async () => {
    const storages = await openStorages();
    for (let round = 0; round < ROUNDS; round++) {
      // One key for jobs of many names, as an order that is charged, shipped and thanked for.
      const jobsOf = (): NewJob[] =>
        shuffled(Array.from({ length: JOBS }, (_, i) => i)).map((i) =>
          newJob({ name: `order:${i % 100}`, idempotencyKey: `${round}-${Math.floor(i / 100)}` }),
        );
      const results = await Promise.all(storages.map((storage) => storage.enqueue({ jobs: jobsOf() })));
      const made = (results.flat() as EnqueueResult[]).filter(({ deduplicated }) => !deduplicated);
      expect(made).toHaveLength(JOBS);
      expect(new Set(results.flat().map(({ jobId }) => jobId)).size).toBe(JOBS);
    }
    await Promise.all(storages.map((storage) => storage.close()));
    expect(await countDeadlocks()).toBe(0);
  });
});
