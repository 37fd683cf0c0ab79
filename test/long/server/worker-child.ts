import type { WireJob } from '../../../src/server/wire-messages.ts';
import { report } from '../../processes/report.ts';
import { GrpcClient } from '../../server/grpc-client.ts';

/**
 * A worker of the jobs named `f` that takes a while for each: `node worker-child.js <address> <worker id> <run ms>`. Reports
 * `took <job> <attempt>`, and then `acked <job> <attempt>` or `refused <job> <attempt>`.
 */
const [address, workerId, runMs] = process.argv.slice(2) as [string, string, string];
const CONCURRENCY = 5;

const client = new GrpcClient({ address });
const worker = client.work(workerId, ['f'], CONCURRENCY);
// Answered behind the registration: from here on jobs may come.
await client.call('ListJobs', { limit: 1 });
report('ready');

async function run({ id, attempt }: WireJob): Promise<void> {
  report(`took ${id} ${attempt}`);
  await new Promise((resolve) => setTimeout(resolve, Number(runMs)));
  try {
    await worker.succeed(id, workerId);
    report(`acked ${id} ${attempt}`);
  } catch {
    report(`refused ${id} ${attempt}`);
  }
}

for (;;) void run(await worker.jobs.next());
