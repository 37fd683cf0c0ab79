import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { GrpcClient, parse } from '../../server/grpc-client.ts';
import { JOB } from '../../server/wire-status.ts';
import { startServe, startWorker } from './server-process.ts';

const ROUNDS = 20;
const JOBS_A_ROUND = 10;
/** An attempt that was lost counts, and the same jobs may be taken again and again. */
const MAX_ATTEMPTS = 1 + ROUNDS;

it('workers that are killed in the middle of jobs lose no ack, and leave no job running', async () => {
  const { address } = await startServe(`lmdb://${temporaryDirectory()}`);
  const client = new GrpcClient({ address });
  const jobIds: string[] = [];
  const acked = new Map<string, string>();
  /** What happened to jobs after they were acked. */
  const again: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const workerId = `w${round}`;
    const worker = await startWorker(address, workerId, 5 + (round % 5) * 10, (line) => {
      const [verb, jobId = ''] = line.split(' ');
      if (acked.has(jobId)) again.push(line);
      if (verb === 'acked') acked.set(jobId, workerId);
    });
    for (let i = 0; i < JOBS_A_ROUND; i++)
      jobIds.push(await client.enqueue('f', [], { options: { maxAttempts: MAX_ATTEMPTS } }));
    await worker.line(round % 2 === 0 ? 'took' : 'acked');
    await worker.kill();
  }
  const last = await startWorker(address, 'last', 0);
  const count = async (): Promise<number> =>
    (await client.call('ListJobs', { statuses: [JOB.success], limit: 1 })).total;
  await expect.poll(count, { timeout: 20_000 }).toBe(jobIds.length);
  for (const jobId of jobIds) {
    const { result } = await client.call('GetJob', { jobId });
    expect(parse(result)).toEqual(acked.get(jobId) ?? expect.stringMatching(/^w\d+$|^last$/));
  }
  expect(again).toEqual([]);
  expect(acked.size).toBeGreaterThan(0);
  await last.kill();
  client.close();
});
