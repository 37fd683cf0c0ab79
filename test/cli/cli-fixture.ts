import { once } from 'node:events';
import { onTestFinished, vi } from 'vitest';
import { run } from '../../src/cli/run.ts';
import {
  currentJob,
  type DurableFunction,
  type JobHandle,
  NonRetryableError,
  Reseolio,
  step,
  waitForSignal,
} from '../../src/index.ts';
import { createGate } from '../client/client-fixture.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `reseolio` in this process. */
export async function runCli(...args: readonly string[]): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(args, { out: (text) => out.push(text), err: (text) => err.push(text) });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

export async function runCliJson(...args: readonly string[]): Promise<unknown> {
  return JSON.parse((await runCli(...args, '--json')).out);
}

/** The URL of an LMDB storage that is gone when the test ends, also the one that commands use if they are not told. */
export function createStorage(): string {
  const url = `lmdb://${temporaryDirectory()}/jobs`;
  vi.stubEnv('RESEOLIO_DB', url);
  onTestFinished(() => void vi.unstubAllEnvs());
  return url;
}

/** Ids of a job that ended as each says. */
export interface StoredJobs {
  readonly success: string;
  readonly dead: string;
  readonly pending: string;
}

/** Three jobs and a schedule, made and run by a client that is stopped when this resolves. */
export async function fillStorage(storage: string): Promise<StoredJobs> {
  await using client = new Reseolio({ storage });
  const add = client.durable('sums:add', (a: number, b: number) => ({ sum: a + b }));
  const charge = client.durable('orders:charge', (_cents: bigint, _receipt: Uint8Array): void => {
    throw new NonRetryableError('card refused');
  });
  await client.start();
  const success = await add(1, 2);
  const dead = await charge(-1n, Buffer.from('hi'));
  const pending = await add.callWithOptions([3, 4], { delayMs: 3_600_000, idempotencyKey: 'later' });
  await success.result();
  await dead.result().catch(() => {});
  await add.schedule({ name: 'sums:nightly', cron: '0 3 * * *', timezone: 'Europe/Berlin' }, 5, 6);
  return { success: success.jobId, dead: dead.jobId, pending: pending.jobId };
}

/** A job that is suspended and waits for a signal, and the child that it called. */
export interface StoredWorkflow {
  readonly parent: string;
  readonly child: string;
}

/** A job that remembers things, made and run by a client that is stopped when this resolves: what waits is suspended then. */
export async function addWorkflow(storage: string): Promise<StoredWorkflow> {
  await using client = new Reseolio({ storage });
  const { opened: isWaiting, open: tellThatItWaits } = createGate();
  const order = declareOrder(client, tellThatItWaits);
  await client.start();
  const { jobId: parent } = await order();
  await isWaiting;
  const { jobs } = await client.listJobs({ parentId: parent });
  return { parent, child: jobs[0]?.id as string };
}

/** Lets a job of {@link addWorkflow} go on. Resolves with its result: what the signal carried. */
export async function finishWorkflow(storage: string, { parent }: StoredWorkflow): Promise<unknown> {
  await using client = new Reseolio({ storage });
  declareOrder(client, () => {});
  await client.start();
  return await client.getHandle(parent).result();
}

function declareOrder(client: Reseolio, tellThatItWaits: () => void): DurableFunction<[], unknown> {
  const reserve = client.durable('stock:reserve', (item: string) => item);
  return client.durable('orders:process', async () => {
    await (await reserve('book')).result();
    await step('label', () => 'printed');
    tellThatItWaits();
    return waitForSignal('approve');
  });
}

/** The handle of a job that runs until it is asked to stop, in a client that is stopped when the test ends. */
export async function startEndlessJob(storage: string): Promise<JobHandle> {
  const client = new Reseolio({ storage });
  onTestFinished(() => client.stop());
  const { opened: hasBegun, open: tellThatItHasBegun } = createGate();
  const wait = client.durable('orders:wait', async () => {
    const { signal } = currentJob();
    tellThatItHasBegun();
    await once(signal, 'abort');
    signal.throwIfAborted();
  });
  await client.start();
  const handle = await wait();
  await hasBegun;
  return handle;
}
