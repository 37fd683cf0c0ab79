import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { GrpcClient, parse } from '../../server/grpc-client.ts';
import { JOB } from '../../server/wire-status.ts';
import { type ServerProcess, startEarlyServer, startServe } from './server-process.ts';

const ACKS = 400;
const JOBS_A_ROUND = 16;
const CONCURRENCY = 8;
/** An attempt that was lost with its server counts, and the same jobs are taken again and again. */
const MAX_ATTEMPTS = 1000;
/** The planted bug shows in each of the first few rounds. */
const MAX_CONTROL_ROUNDS = 10;
const LEASE_MS = 500;

/** What was answered, held against what comes after. */
class Ledger {
  readonly enqueued = new Set<string>();
  /** The value of each ack that was answered. */
  readonly acked = new Map<string, string>();
  readonly violations: string[] = [];
}

/** One life of a server: jobs are enqueued, run and acked, and after a few acks, right at the answer to one, it is killed. */
async function runRound(server: ServerProcess, round: number, ledger: Ledger): Promise<void> {
  const client = new GrpcClient({ address: server.address });
  const killAfter = 1 + (round % CONCURRENCY);
  let answers = 0;
  const killed = new Promise<void>((resolve) => {
    const run = async (id: string, attempt: number): Promise<void> => {
      if (ledger.acked.has(id)) ledger.violations.push(`job ${id} was acked, and is run again`);
      const value = `${id}/${attempt}/${round}`;
      await worker.succeed(id, value);
      ledger.acked.set(id, value);
      if (++answers === killAfter) {
        server.process.signal('SIGKILL');
        resolve();
      }
    };
    const worker = client.work('w', ['f'], CONCURRENCY);
    const takeAll = async (): Promise<void> => {
      for (;;) {
        const { id, attempt } = await worker.jobs.next();
        // What is not answered was not acked.
        run(id, attempt).catch(() => {});
      }
    };
    takeAll().catch(() => {});
  });
  const options = { maxAttempts: MAX_ATTEMPTS };
  const enqueue = async (): Promise<void> => void ledger.enqueued.add(await client.enqueue('f', [], { options }));
  await Promise.allSettled(Array.from({ length: JOBS_A_ROUND }, enqueue));
  await killed;
  await server.process.exited();
  client.close();
}

/** A last server, on which all that is left is run. */
async function finish(storage: string, ledger: Ledger): Promise<void> {
  const { address } = await startServe(storage, '--lease', String(LEASE_MS));
  const client = new GrpcClient({ address });
  const worker = client.work('last', ['f'], 50);
  const takeAll = async (): Promise<void> => {
    for (;;) {
      const { id } = await worker.jobs.next();
      if (ledger.acked.has(id)) ledger.violations.push(`job ${id} was acked, and is run again`);
      await worker.succeed(id, 'last');
    }
  };
  takeAll().catch(() => {});
  const countUnfinished = async (): Promise<number> =>
    (await client.call('ListJobs', { statuses: [JOB.pending, JOB.running], limit: 1 })).total;
  await expect.poll(countUnfinished, { timeout: 20_000, interval: 50 }).toBe(0);
  for (const [jobId, value] of ledger.acked) {
    const { status, result } = await client.call('GetJob', { jobId });
    if (status !== JOB.success) ledger.violations.push(`job ${jobId} was acked, and is ${status}`);
    else if (parse(result) !== value) ledger.violations.push(`job ${jobId} has the result ${String(parse(result))}`);
  }
  for (const jobId of ledger.enqueued) {
    const status = await client.statusOf(jobId).catch(() => 'gone');
    if (status !== JOB.success) ledger.violations.push(`job ${jobId} was enqueued, and is ${status}`);
  }
  client.close();
}

it(`a server that is killed right after an ack has lost none of ${ACKS}, and no job is left running`, async () => {
  const storage = `lmdb://${temporaryDirectory()}`;
  const ledger = new Ledger();
  let rounds = 0;
  for (; ledger.acked.size < ACKS; rounds++) {
    await runRound(await startServe(storage, '--lease', String(LEASE_MS)), rounds, ledger);
  }
  await finish(storage, ledger);
  expect(ledger.violations).toEqual([]);
  expect(rounds).toBeGreaterThan(30);
});

it('a server that answers before it has stored is found out', async () => {
  const storage = `lmdb://${temporaryDirectory()}`;
  const ledger = new Ledger();
  for (let round = 0; round < MAX_CONTROL_ROUNDS && ledger.violations.length === 0; round++) {
    await runRound(await startEarlyServer(storage, LEASE_MS), round, ledger);
  }
  await finish(storage, ledger);
  expect(ledger.violations.join('\n')).toMatch(/was acked, and is/);
});
