import { describe, expect, it } from 'vitest';
import { Reseolio } from '../../../src/index.ts';
import { freshSchema, open, urlWith } from '../../postgres/postgres-fixture.ts';
import { ClientNode } from './client-node.ts';
import { within } from './crash-run.ts';

const LEASE_MS = 1000;
/** For looks of a reclaimer, which come every half lease, and a small machine. */
const SLACK_MS = 1500;
const JOBS = 5;

describe('a node that is killed', () => {
  it('has its jobs run by others within a lease, each attempt counted as lost', async () => {
    const url = urlWith({ schema: freshSchema() });
    const caller = new Reseolio({ storage: url, workerConcurrency: 0, leaseMs: LEASE_MS });
    const hold = caller.durable('hold', async () => {});
    await caller.start();
    let node = new ClientNode({ url, leaseMs: LEASE_MS });
    await node.process.line('ready');
    const handles = await hold.enqueueMany(
      Array.from({ length: JOBS }, () => []),
      { maxAttempts: 3 },
    );
    for (const attempt of [1, 2]) {
      await Promise.all(handles.map(({ jobId }) => node.process.line(`holding ${jobId} ${attempt}`)));
      const next = new ClientNode({ url, leaseMs: LEASE_MS });
      await next.process.line('ready');
      await node.process.kill();
      const taken = handles.map(({ jobId }) => next.process.line(`holding ${jobId} ${attempt + 1}`));
      await within(LEASE_MS + SLACK_MS, `attempt ${attempt + 1}`, Promise.all(taken));
      node = next;
    }
    await node.process.kill();
    // The third attempt was the last; the reclaimer of the caller, which runs nothing, finds it.
    const results = Promise.allSettled(handles.map((handle) => handle.result()));
    for (const result of await within(LEASE_MS + SLACK_MS, 'jobs to be dead', results)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'job_failed' } });
    }
    await caller.stop();
    const storage = await open(url);
    for (const { jobId } of handles) {
      const attempts = await storage.getAttempts({ jobId });
      expect(attempts.map(({ attempt, outcome }) => `${attempt} ${outcome}`)).toEqual(['1 lost', '2 lost', '3 lost']);
    }
  });
});
