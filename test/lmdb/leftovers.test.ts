import { open } from 'lmdb';
import { expect, it } from 'vitest';
import { LmdbStorage } from '../../src/backends/lmdb/lmdb-storage.ts';
import { parseLmdbUrl } from '../../src/backends/lmdb/lmdb-url.ts';
import type { Lease } from '../../src/core/job.ts';
import { encodePayload } from '../../src/core/payload.ts';
import type { AttemptOutcome, Suspension } from '../../src/core/storage.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';
import { ids, newJob } from '../processes/new-job.ts';

const LARGE = encodePayload([Buffer.alloc(5000)], 'args');
const ERROR = { name: 'Error', message: 'planted', stack: null };
const NOTHING: Suspension = { kind: 'suspend', wakeAt: null, awaits: [], signalsSeen: null };

/** A storage on a driven clock, whose keys can be looked at once it is closed. */
class Store {
  now = 1_767_225_600_000;
  readonly #directory = temporaryDirectory();
  #storage: LmdbStorage | null = null;

  async open(): Promise<LmdbStorage> {
    const url = parseLmdbUrl(`lmdb://${this.#directory}`);
    this.#storage = await LmdbStorage.open({ ...url, durability: 'strict', runtime: { now: () => this.now } });
    return this.#storage;
  }

  /** Closes the storage; the first byte of each of its keys. */
  async closeAndReadPrefixes(): Promise<(number | undefined)[]> {
    await this.#storage?.close();
    const database = open<Buffer, Buffer>({
      path: this.#directory,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
    });
    const prefixes = Array.from(database.getKeys(), (key) => key[0]);
    await database.close();
    return prefixes;
  }
}

/** Claims up to `limit` jobs of a name. */
async function claim(storage: LmdbStorage, name: string, limit: number): Promise<Lease[]> {
  const token = ids.next();
  const params = { workerId: 'w', leaseToken: token, names: [name], limit, leaseMs: 60_000 };
  const { jobs } = await storage.claim(params);
  return jobs.map(({ id, attempt }) => ({ jobId: id, attempt, token }));
}

/** Claims up to `limit` jobs of a name and ends their attempts. */
async function run(storage: LmdbStorage, name: string, limit: number, outcome: AttemptOutcome): Promise<void> {
  const leases = await claim(storage, name, limit);
  await storage.settle({ settlements: leases.map((lease) => ({ lease, outcome })) });
}

it('a pruned job leaves nothing behind: no large arguments, no history, no key, no index entry', async () => {
  const store = new Store();
  const storage = await store.open();
  await storage.enqueue({
    jobs: Array.from({ length: 20 }, (_, i) => newJob({ idempotencyKey: `key-${i}`, args: LARGE })),
  });
  await run(storage, 'test:job', 20, { kind: 'retry', error: ERROR, delayMs: 0 });
  await run(storage, 'test:job', 20, { kind: 'dead', error: ERROR });
  await storage.enqueue({ jobs: [newJob({ args: LARGE })] });
  await run(storage, 'test:job', 1, { kind: 'success', result: encodePayload(Buffer.alloc(5000), 'result') });
  expect(await storage.counts()).toMatchObject([{ dead: 20, success: 1 }]);
  store.now++;
  expect(await storage.prune({ state: 'dead', olderThanMs: 0, limit: 100 })).toMatchObject({ pruned: 20 });
  expect(await storage.prune({ state: 'success', olderThanMs: 0, limit: 100 })).toMatchObject({ pruned: 1 });
  // The format, the sequence numbers, and the name with its counts.
  expect(await store.closeAndReadPrefixes()).toEqual([0, 1, 2, 7]);
});

it('nor do steps, signals, children, waits and requests to stop', async () => {
  const store = new Store();
  const storage = await store.open();
  await storage.enqueue({ jobs: [newJob()] });
  const [lease] = (await claim(storage, 'test:job', 1)) as [Lease];
  const children = Array.from({ length: 3 }, (_, i) => newJob({ idempotencyKey: `key-${i}`, args: LARGE }));
  const steps = [null, ...children].map((child) => ({ body: Buffer.alloc(5000), child }));
  await storage.recordSteps({ recordings: [{ lease, from: 0, steps }] });
  const payload = encodePayload(Buffer.alloc(5000), 'payload');
  const signals = [payload, null].map((one) => ({ id: ids.next(), jobId: lease.jobId, name: 'told', payload: one }));
  await storage.signal({ signals });
  const outcome = { ...NOTHING, awaits: children.map(({ id }) => id), signalsSeen: 2 };
  await storage.settle({ settlements: [{ lease, outcome }] });
  await run(storage, 'test:job', 2, { kind: 'success', result: null });
  await claim(storage, 'test:job', 2);
  const jobIds = [lease.jobId, ...children.map(({ id }) => id)];
  const answers = await storage.cancel({ jobIds, isRunningIncluded: true });
  expect(answers.map(({ status }) => status)).toEqual(['requested', 'refused', 'refused', 'requested']);
  store.now += 60_000;
  await storage.reclaimExpired({ limit: 10 });
  expect(await storage.counts()).toMatchObject([{ success: 2, cancelled: 2 }]);
  store.now++;
  expect(await storage.prune({ state: 'cancelled', olderThanMs: 0, limit: 100 })).toMatchObject({ pruned: 2 });
  expect(await storage.prune({ state: 'success', olderThanMs: 0, limit: 100 })).toMatchObject({ pruned: 2 });
  expect(await store.closeAndReadPrefixes()).toEqual([0, 1, 2, 7]);
});

it('a wait that has ended leaves nothing behind, though what was waited for is not there yet', async () => {
  const store = new Store();
  const storage = await store.open();
  const [first, second] = [newJob({ name: 'awaited' }), newJob({ name: 'awaited' })];
  await storage.enqueue({ jobs: [first, second, ...Array.from({ length: 4 }, () => newJob({ name: 'waiter' }))] });
  const leases = await claim(storage, 'waiter', 4);
  const [byTime, bySignal, byCancel] = leases as [Lease, Lease, Lease];
  const outcome = { ...NOTHING, awaits: [first.id, second.id, byTime.jobId], wakeAt: store.now + 10, signalsSeen: 0 };
  await storage.settle({ settlements: leases.map((lease) => ({ lease, outcome })) });

  await storage.signal({ signals: [{ id: ids.next(), jobId: bySignal.jobId, name: 'told', payload: null }] });
  expect(await claim(storage, 'waiter', 4)).toMatchObject([{ jobId: bySignal.jobId }]);
  await storage.cancel({ jobIds: [byCancel.jobId], isRunningIncluded: false });
  await run(storage, 'awaited', 1, { kind: 'success', result: null });
  expect(await claim(storage, 'waiter', 1)).toMatchObject([{ jobId: byTime.jobId }]);
  store.now += 10;
  expect(await claim(storage, 'waiter', 4)).toHaveLength(1);

  const prefixes = await store.closeAndReadPrefixes();
  expect(prefixes.filter((prefix) => prefix === 0x15 || prefix === 0x16)).toEqual([]);
});

it('a job without steps, children and waits has no keys of them', async () => {
  const store = new Store();
  const storage = await store.open();
  await storage.enqueue({ jobs: [newJob(), newJob(), newJob()] });
  await run(storage, 'test:job', 1, { kind: 'success', result: null });
  await claim(storage, 'test:job', 1);
  // Beside the format, the numbers and the name: one lease, one pending, two that have not finished, one that has.
  expect(await store.closeAndReadPrefixes()).toEqual([0, 1, 2, 3, 4, 5, 5, 7, 9, 12, 12, 12]);
});
