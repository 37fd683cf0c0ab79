import { describe, expect, it, onTestFinished } from 'vitest';
import type { LmdbStorage } from '../../src/backends/lmdb/lmdb-storage.ts';
import type { StorageHint } from '../../src/core/storage.ts';
import { TestProcess } from '../processes/child-process.ts';
import { openLmdb, temporaryDirectory } from '../processes/lmdb-directory.ts';
import { ids, newJob } from '../processes/new-job.ts';

async function startPeer(directory: string): Promise<TestProcess> {
  const peer = new TestProcess({ script: 'test/processes/lmdb-peer.js', args: [directory] });
  onTestFinished(() => peer.kill());
  await peer.line('ready');
  return peer;
}

async function open(directory: string, query = ''): Promise<LmdbStorage> {
  const storage = await openLmdb(directory, query);
  onTestFinished(() => storage.close());
  return storage;
}

function nextHint(storage: LmdbStorage, isWanted: (hint: StorageHint) => boolean): Promise<StorageHint> {
  return new Promise((resolve) => {
    const stopWatching = storage.watch((hint) => {
      if (!isWanted(hint)) return;
      stopWatching();
      resolve(hint);
    });
  });
}

describe('several processes on one LMDB storage', () => {
  it('hear of work that another enqueues', async () => {
    const directory = temporaryDirectory();
    const storage = await open(directory);
    const peer = await startPeer(directory);
    const hint = nextHint(storage, ({ kind }) => kind === 'work');
    peer.say('enqueue test:job');
    await hint;
    const claim = { workerId: 'here', leaseToken: ids.next(), names: ['test:job'], limit: 10, leaseMs: 60_000 };
    await peer.line('enqueued');
    expect((await storage.claim(claim)).jobs).toHaveLength(1);
  });

  it('hear which jobs another has settled', async () => {
    const directory = temporaryDirectory();
    const storage = await open(directory);
    const peer = await startPeer(directory);
    const job = newJob();
    await storage.enqueue({ jobs: [job] });
    const hint = nextHint(storage, ({ kind }) => kind === 'finished');
    peer.say('run test:job');
    expect(await hint).toEqual({ kind: 'finished', jobIds: [job.id] });
    expect(await storage.getJobs({ jobIds: [job.id] })).toMatchObject([{ state: 'success' }]);
  });

  it('hear what happens here, with the jobs that were settled', async () => {
    const directory = temporaryDirectory();
    const peer = await startPeer(directory);
    const storage = await open(directory);
    const job = newJob();
    await storage.enqueue({ jobs: [job] });
    await peer.line('hint {"kind":"work"');
    await storage.cancel({ jobIds: [job.id], isRunningIncluded: false });
    expect(await peer.line('hint {"kind":"finished"')).toContain(job.id);
  });

  it('hear which jobs another has sent signals to, or asked to stop', async () => {
    const directory = temporaryDirectory();
    const storage = await open(directory);
    const peer = await startPeer(directory);
    const job = newJob();
    await storage.enqueue({ jobs: [job] });
    const claim = { workerId: 'here', leaseToken: ids.next(), names: ['test:job'], limit: 1, leaseMs: 60_000 };
    await storage.claim(claim);
    await storage.cancel({ jobIds: [job.id], isRunningIncluded: true });
    expect(await peer.line('hint {"kind":"signals"')).toContain(job.id);
    const signalled = nextHint(storage, ({ kind }) => kind === 'signals');
    peer.say(`signal ${job.id}`);
    expect(await signalled).toEqual({ kind: 'signals', jobIds: [job.id] });
  });

  it('hear of a job that waits for what another has settled', async () => {
    const directory = temporaryDirectory();
    const storage = await open(directory);
    const peer = await startPeer(directory);
    const [parent, child] = [newJob({ name: 'parent' }), newJob()];
    await storage.enqueue({ jobs: [parent, child] });
    const claim = { workerId: 'here', names: ['parent'], limit: 1, leaseMs: 60_000 };
    const leaseToken = ids.next();
    await storage.claim({ ...claim, leaseToken });
    const lease = { jobId: parent.id, attempt: 1, token: leaseToken };
    const outcome = { kind: 'suspend', wakeAt: null, awaits: [child.id], signalsSeen: null } as const;
    await storage.settle({ settlements: [{ lease, outcome }] });
    const finished = nextHint(storage, ({ kind }) => kind === 'finished');
    peer.say('run test:job');
    await finished;
    const { jobs } = await storage.claim({ ...claim, leaseToken: ids.next() });
    expect(jobs).toMatchObject([{ id: parent.id, isResumed: true }]);
  });

  it('race for jobs, and each attempt goes to one of them', async () => {
    const directory = temporaryDirectory();
    const storage = await open(directory);
    const peers = await Promise.all([startPeer(directory), startPeer(directory), startPeer(directory)]);
    const jobs = Array.from({ length: 600 }, () => newJob({ name: 'prize' }));
    await storage.enqueue({ jobs });
    for (const peer of peers) peer.say('race prize');
    const lines = await Promise.all(peers.map((peer) => peer.line('claimed')));
    const claimed = lines.map((line) =>
      line
        .split(' ')
        .slice(1)
        .filter((id) => id !== ''),
    );
    expect(claimed.flat().toSorted()).toEqual(jobs.map(({ id }) => `${id}/1`).toSorted());
    expect(claimed.filter((ids) => ids.length > 0).length).toBeGreaterThan(1);
    expect(await storage.counts()).toMatchObject([{ name: 'prize', pending: 0, running: 600 }]);
  });

  it('race for idempotency keys, and each key has one winner', async () => {
    const directory = temporaryDirectory();
    const storage = await open(directory);
    const peers = await Promise.all([startPeer(directory), startPeer(directory), startPeer(directory)]);
    for (const peer of peers) peer.say('keys once');
    const lines = await Promise.all(peers.map((peer) => peer.line('won')));
    const won = lines.flatMap((line) =>
      line
        .split(' ')
        .slice(1)
        .filter((key) => key !== '')
        .map(Number),
    );
    expect(won.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, key) => key));
    expect(await storage.counts()).toMatchObject([{ name: 'once', pending: 100 }]);
  });

  it('agree on counts', async () => {
    const directory = temporaryDirectory();
    const [storage, peer] = [await open(directory), await startPeer(directory)];
    const jobs = Array.from({ length: 20 }, () => newJob({ name: 'shared' }));
    const enqueued = storage.enqueue({ jobs });
    for (let i = 0; i < 20; i++) peer.say('enqueue shared');
    await enqueued;
    peer.say('enqueue last');
    await nextHint(storage, ({ kind }) => kind === 'work');
    peer.say('close');
    expect(await peer.exited()).toBe(0);
    expect(await storage.counts()).toMatchObject([
      { name: 'last', pending: 1 },
      { name: 'shared', pending: 40 },
    ]);
  });

  it('refuse to wait for ever when another stops with the write lock in its hands', async () => {
    const directory = temporaryDirectory();
    const peer = await startPeer(directory);
    const storage = await openLmdb(directory, '?commitTimeoutMs=300');
    const failed = nextHint(storage, ({ kind }) => kind === 'failed');
    const job = newJob();
    peer.say('hang');
    await peer.line('hanging');
    const waiting = [storage.enqueue({ jobs: [job] }), storage.enqueue({ jobs: [newJob()] })];
    for (const call of waiting) await expect(call).rejects.toMatchObject({ code: 'storage_failed' });
    expect(await failed).toMatchObject({ error: { code: 'storage_failed' } });
    await expect(storage.counts()).rejects.toMatchObject({ code: 'storage_failed' });
    await storage.close();
    await expect(openLmdb(directory, '?commitTimeoutMs=300')).rejects.toMatchObject({ code: 'storage_failed' });
  });
});
