import { describe, expect, it, onTestFinished } from 'vitest';
import { Environment } from '../../src/backends/lmdb/environment.ts';
import { parseLmdbUrl } from '../../src/backends/lmdb/lmdb-url.ts';
import type { StorageHint } from '../../src/core/storage.ts';
import { openLmdb, temporaryDirectory } from '../processes/lmdb-directory.ts';
import { ids, newJob } from '../processes/new-job.ts';

const KEY = Buffer.from('k');

async function openEnvironment(commitMode: string): Promise<Environment> {
  const environment = await Environment.acquire({
    ...parseLmdbUrl(`lmdb://${temporaryDirectory()}?commit=${commitMode}`),
    durability: 'strict',
  });
  onTestFinished(() => environment.release());
  return environment;
}

describe.each(['inline', 'thread'])('group commit (%s)', (commitMode) => {
  it('puts what is submitted in one turn into one commit', async () => {
    const { committer } = await openEnvironment(commitMode);
    const transactions = await Promise.all(
      Array.from({ length: 50 }, () => committer.submit((transaction) => transaction)),
    );
    expect(new Set(transactions).size).toBe(1);
  });

  it('puts what is submitted during a commit into the next one', async () => {
    const { committer } = await openEnvironment(commitMode);
    const later: Promise<object>[] = [];
    const first = await committer.submit((transaction) => {
      for (let i = 0; i < 10; i++) later.push(committer.submit((next) => next));
      return transaction;
    });
    const [second, ...rest] = await Promise.all(later);
    expect(second).not.toBe(first);
    expect(new Set(rest)).toEqual(new Set([second]));
  });

  it('shows each operation what those before it wrote', async () => {
    const { committer } = await openEnvironment(commitMode);
    const append = (text: string): Promise<string> =>
      committer.submit(({ tree }) => {
        const value = `${tree.get(KEY)?.toString() ?? ''}${text}`;
        tree.put(KEY, Buffer.from(value));
        return value;
      });
    expect(await Promise.all(['a', 'b', 'c'].map(append))).toEqual(['a', 'ab', 'abc']);
  });

  it('rejects an operation that throws, undoes it, and does the others', async () => {
    const { committer, tree } = await openEnvironment(commitMode);
    const put = (value: string): Promise<void> => committer.submit((t) => t.tree.put(KEY, Buffer.from(value)));
    const before = put('before');
    const broken = committer.submit((t) => {
      t.tree.put(KEY, Buffer.from('broken'));
      t.tree.put(Buffer.from('other'), Buffer.from('broken'));
      throw new RangeError('planted');
    });
    const after = committer.submit((t) => t.tree.get(KEY)?.toString());
    await expect(broken).rejects.toThrow('planted');
    await before;
    expect(await after).toBe('before');
    tree.refresh();
    expect(tree.get(Buffer.from('other'))).toBeUndefined();
    expect(committer.failure).toBeNull();
  });

  it('takes an error of LMDB inside of an operation for a failure of the storage, not of the call', async () => {
    const { committer } = await openEnvironment(commitMode);
    const corrupted = Object.assign(new Error('MDB_CORRUPTED: Located page was wrong type'), { code: -30796 });
    const neighbour = committer.submit(() => 1);
    const broken = committer.submit(() => {
      throw corrupted;
    });
    await expect(broken).rejects.toMatchObject({ code: 'storage_failed', cause: corrupted });
    await expect(neighbour).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(committer.submit(() => 2)).rejects.toMatchObject({ code: 'storage_failed' });
  });

  it('refuses more than it will queue, and serves those that it took', async () => {
    const { committer } = await openEnvironment(commitMode);
    const taken = Array.from({ length: 200_000 }, () => committer.submit(() => 1));
    await expect(committer.submit(() => 1)).rejects.toMatchObject({ code: 'storage_overloaded' });
    expect((await Promise.all(taken)).length).toBe(200_000);
    expect(await committer.submit(() => 2)).toBe(2);
  });
});

describe('a claim that is made from the hint of an enqueue', () => {
  it('has the job that is being enqueued, from the same commit', async () => {
    const storage = await openLmdb(temporaryDirectory());
    onTestFinished(() => storage.close());
    const order: string[] = [];
    const claimed = new Promise<number>((resolve) => {
      const onHint = (hint: StorageHint): void => {
        if (hint.kind !== 'work' || order.includes('claim called')) return;
        order.push('claim called');
        const params = { workerId: 'w', leaseToken: ids.next(), names: ['test:job'], limit: 1, leaseMs: 1000 };
        void storage.claim(params).then(({ jobs }) => resolve(jobs.length));
      };
      storage.watch(onHint);
    });
    const enqueued = storage.enqueue({ jobs: [newJob()] }).then(() => order.push('enqueue resolved'));
    expect(await claimed).toBe(1);
    await enqueued;
    expect(order).toEqual(['claim called', 'enqueue resolved']);
  });
});
