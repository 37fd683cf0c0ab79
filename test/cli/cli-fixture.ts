import { onTestFinished, vi } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { NonRetryableError, Reseolio } from '../../src/index.ts';
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
