import { open } from 'lmdb';
import { expect, it } from 'vitest';
import { LmdbStorage } from '../../src/backends/lmdb/lmdb-storage.ts';
import { parseLmdbUrl } from '../../src/backends/lmdb/lmdb-url.ts';
import { encodePayload } from '../../src/core/payload.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';
import { ids, newJob } from '../processes/new-job.ts';

it('a pruned job leaves nothing behind: no large arguments, no history, no key, no index entry', async () => {
  const directory = temporaryDirectory();
  let now = 1_767_225_600_000;
  const storage = await LmdbStorage.open({
    ...parseLmdbUrl(`lmdb://${directory}`),
    durability: 'strict',
    runtime: { now: () => now },
  });
  const error = { name: 'Error', message: 'planted', stack: null };
  const jobs = Array.from({ length: 20 }, (_, i) =>
    newJob({ idempotencyKey: `key-${i}`, args: encodePayload([Buffer.alloc(5000)], 'args') }),
  );
  await storage.enqueue({ jobs });
  for (const kind of ['retry', 'dead'] as const) {
    const leaseToken = ids.next();
    const claimed = await storage.claim({ workerId: 'w', leaseToken, names: ['test:job'], limit: 20, leaseMs: 60_000 });
    await storage.settle({
      settlements: claimed.jobs.map(({ id, attempt }) => ({
        lease: { jobId: id, attempt, token: leaseToken },
        outcome: kind === 'dead' ? { kind, error } : { kind, error, delayMs: 0 },
      })),
    });
  }
  await storage.enqueue({ jobs: [newJob({ args: encodePayload([Buffer.alloc(5000)], 'args') })] });
  const leaseToken = ids.next();
  const { jobs: last } = await storage.claim({
    workerId: 'w',
    leaseToken,
    names: ['test:job'],
    limit: 1,
    leaseMs: 60_000,
  });
  const lease = { jobId: last[0]?.id as string, attempt: 1, token: leaseToken };
  const result = encodePayload(Buffer.alloc(5000), 'result');
  await storage.settle({ settlements: [{ lease, outcome: { kind: 'success', result } }] });
  expect(await storage.counts()).toMatchObject([{ dead: 20, success: 1 }]);
  now++;
  expect(await storage.prune({ state: 'dead', olderThanMs: 0, limit: 100 })).toMatchObject({ pruned: 20 });
  expect(await storage.prune({ state: 'success', olderThanMs: 0, limit: 100 })).toMatchObject({ pruned: 1 });
  await storage.close();

  const database = open<Buffer, Buffer>({
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  const prefixes = Array.from(database.getKeys(), (key) => key[0]);
  await database.close();
  // The format, the sequence numbers, and the name with its counts.
  expect(prefixes).toEqual([0, 1, 2, 7]);
});
