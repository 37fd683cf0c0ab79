import { LmdbStorage } from '../../src/backends/lmdb/lmdb-storage.ts';
import { parseLmdbUrl } from '../../src/backends/lmdb/lmdb-url.ts';
import { ReseolioError } from '../../src/core/errors.ts';
import { encodePayload } from '../../src/core/payload.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import { newJob } from './new-job.ts';
import { report } from './report.ts';

/**
 * Fills a storage until it refuses: `node lmdb-filler.js <directory> <commit mode>`. Reports each acknowledged id, the
 * refusal, and then what a second try says whenever it is told to make one.
 */
const [directory, commitMode] = process.argv.slice(2) as [string, string];
// Writing beyond a limit on file sizes raises this; with a listener the write fails instead of the process.
process.on('SIGXFSZ', () => {});
const storage = await LmdbStorage.open({
  ...parseLmdbUrl(`lmdb://${directory}?commit=${commitMode}`),
  durability: 'strict',
  runtime: createSystemRuntime(),
});
storage.watch((hint) => report(`hint ${hint.kind}`));

async function enqueueOne(): Promise<string> {
  const job = newJob({ args: encodePayload([Buffer.alloc(50_000)], 'args') });
  try {
    await storage.enqueue({ jobs: [job] });
    return `acked ${job.id}`;
  } catch (error) {
    return `refused ${error instanceof ReseolioError ? error.code : String(error)}`;
  }
}

let answer = '';
while (!answer.startsWith('refused')) {
  answer = await enqueueOne();
  report(answer);
}
report('full');
for await (const _request of process.stdin) report(`again ${await enqueueOne()}`);
await storage.close();
report('closed');
