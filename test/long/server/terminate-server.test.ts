import { expect, it } from 'vitest';
import { openLmdb, temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { GrpcClient } from '../../server/grpc-client.ts';
import { JOB } from '../../server/wire-status.ts';
import { startServe } from './server-process.ts';

const GRACE_MS = 2000;
/** What a process needs beside its grace time, on a machine that is busy. */
const SLACK_MS = 3000;

it.each(['SIGTERM', 'SIGINT'] as const)(
  'a server drains at %s, gives back what is not ended with no attempt lost, and exits with 0 in time',
  async (signal) => {
    const directory = temporaryDirectory();
    const { process, address } = await startServe(`lmdb://${directory}`, '--grace', String(GRACE_MS));
    const client = new GrpcClient({ address });
    const worker = client.work('w', ['f'], 3);
    const jobIds: string[] = [];
    for (let i = 0; i < 5; i++) jobIds.push(await client.enqueue('f'));
    await worker.jobs.reach(3);
    const subscription = client.subscribe(...jobIds);
    const [ended, unfinished] = worker.jobs.all.map(({ id }) => id) as [string, string];
    const signalledAt = performance.now();
    process.signal(signal);
    await expect.poll(() => process.stderr).toContain('stopping');
    const late = client.work('late', ['f'], 3);
    await late.jobs.ended;
    expect(await worker.succeed(ended, 'in time')).toMatchObject({ newStatus: JOB.success });
    expect(await subscription.completions.next()).toMatchObject({ jobId: ended });
    expect(await process.exited(), process.stderr).toBe(0);
    expect(performance.now() - signalledAt).toBeLessThan(GRACE_MS + SLACK_MS);
    await expect(worker.succeed(unfinished)).rejects.toThrow();
    expect([...late.jobs.all, ...worker.jobs.all.slice(3)]).toEqual([]);
    client.close();

    const storage = await openLmdb(directory);
    for (const job of await storage.getJobs({ jobIds })) {
      if (job?.id === ended) expect(job).toMatchObject({ state: 'success', attempt: 1 });
      else expect(job).toMatchObject({ state: 'pending', attempt: 0 });
      expect(await storage.getAttempts({ jobId: job?.id ?? '' })).toEqual([]);
    }
    await storage.close();
  },
);
