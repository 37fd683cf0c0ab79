import { performance } from 'node:perf_hooks';
import { Reseolio } from 'reseolio-original';
import { leaveParent, tellParent } from '../parent.ts';

/** What the original SDK, as producer and worker, gets out of a server. */
export interface SdkAnswer {
  /** Jobs a second, from the first call to the last result. */
  readonly throughput: number;
  /** From the call to its result, milliseconds, one after the other. */
  readonly roundTrips: readonly number[];
}

const [address = '', jobs = '', roundTrips = ''] = process.argv.slice(2);
/** Calls that wait at once; more would measure how long a queue of promises is. */
const CALLERS = 100;
const CONCURRENCY = 100;

console.debug = () => {};
const client = new Reseolio({ address, autoStart: false, workerConcurrency: CONCURRENCY });
const echo = client.durable('bench:echo', async (n: number) => n);
await client.start();
await (await echo(0)).result();
const throughput = await measureThroughput(Number(jobs));
const latencies: number[] = [];
for (let i = 0; i < Number(roundTrips); i++) {
  const startedAt = performance.now();
  await (await echo(i)).result();
  latencies.push(performance.now() - startedAt);
}
await tellParent({ throughput, roundTrips: latencies } satisfies SdkAnswer);
await client.stop();
leaveParent();
process.exit();

async function measureThroughput(count: number): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  const call = async (): Promise<void> => {
    while (next < count) await (await echo(next++)).result();
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  return (count / (performance.now() - startedAt)) * 1000;
}
