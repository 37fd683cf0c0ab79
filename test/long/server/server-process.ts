import { onTestFinished } from 'vitest';
import { TestProcess } from '../../processes/child-process.ts';

export interface ServerProcess {
  readonly process: TestProcess;
  readonly address: string;
}

/** `reseolio serve` in a process of its own, which is killed when the test ends. Resolves when it listens. */
export function startServe(storage: string, ...flags: readonly string[]): Promise<ServerProcess> {
  const args = ['serve', '--storage', storage, '--address', '127.0.0.1:0', ...flags];
  return start(new TestProcess({ script: 'src/cli/main.js', args }));
}

/** The server with the bug that the tests have to find: it answers acks before it stores them. */
export function startEarlyServer(storage: string, leaseMs: number): Promise<ServerProcess> {
  return start(new TestProcess({ script: 'test/long/server/early-server.js', args: [storage, String(leaseMs)] }));
}

async function start(process: TestProcess): Promise<ServerProcess> {
  onTestFinished(() => process.kill());
  const address = /^listening on ([^,]+)/.exec(await process.line('listening'))?.[1] as string;
  return { process, address };
}

/** A worker in a process of its own, which is killed when the test ends. Resolves when it is connected. */
export async function startWorker(
  address: string,
  workerId: string,
  runMs: number,
  onLine: (line: string) => void = () => {},
): Promise<TestProcess> {
  const args = [address, workerId, String(runMs)];
  const worker = new TestProcess({ script: 'test/long/server/worker-child.js', args, onLine });
  onTestFinished(() => worker.kill());
  await worker.line('ready');
  return worker;
}
