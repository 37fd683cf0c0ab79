import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { type CurrentJob, currentJob } from '../../src/index.ts';
import { createFixture, withCode } from '../client/client-fixture.ts';

async function startWorker() {
  const fixture = createFixture();
  return { ...fixture, client: await fixture.startClient() };
}

describe('currentJob()', () => {
  test('knows the job that runs, through all that its handler awaits', async () => {
    const { client, runtime } = await startWorker();
    const seen: CurrentJob[] = [];
    const look = async (): Promise<void> => {
      await Promise.resolve();
      seen.push(currentJob());
    };
    const f = client.durable('f', look, { timeoutMs: 5000 });
    const handles = await f.enqueueMany([[], []]);
    await runtime.advance(0);
    expect(seen.map(({ id }) => id)).toEqual(handles.map(({ jobId }) => jobId));
    expect(seen[0]).toMatchObject({ name: 'f', attempt: 1, deadline: runtime.now() + 5000 });
    expect(seen[0]?.signal.aborted).toBe(false);
    expect(seen[0]?.signal).toBe(seen[0]?.signal);
  });

  test('is there for what listens to its signal', async () => {
    const { client, runtime } = await startWorker();
    const seen: string[] = [];
    const f = client.durable(
      'f',
      () =>
        new Promise<void>(() => {
          currentJob().signal.addEventListener('abort', () => seen.push(currentJob().id));
        }),
      { timeoutMs: 1000, maxAttempts: 1 },
    );
    const { jobId } = await f();
    await runtime.advance(1000);
    expect(seen).toEqual([jobId]);
  });

  test('throws outside of a handler', () => {
    expect(() => currentJob()).toThrow(expect.objectContaining(withCode('no_current_job')));
  });

  test('of a job that a handler enqueued is that job', async () => {
    const { client, runtime } = await startWorker();
    const child = client.durable('child', () => currentJob().name);
    const parent = client.durable('parent', async () => [await (await child()).result(), currentJob().name]);
    const result = (await parent()).result();
    await runtime.advance(0);
    expect(await result).toEqual(['child', 'parent']);
  });

  test('handlers do not see the asynchronous context of whoever enqueued their job', async () => {
    const { client, runtime, storage } = await startWorker();
    const requests = new AsyncLocalStorage<string>();
    const f = client.durable('f', () => requests.getStore() ?? 'none');
    await runtime.advance(0);
    const [first, second] = await requests.run('request 1', async () => {
      // As a storage does that hints within the call: the claim is made in the context of the caller.
      storage.hint({ kind: 'work', names: ['f'] });
      return Promise.all([f(), f()]);
    });
    const results = Promise.all([first.result(), second.result()]);
    await runtime.advance(0);
    expect(await results).toEqual(['none', 'none']);
  });
});
