// A process is killed in the middle of a job; the next one awaits that very job by its id.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { currentJob, Reseolio } from 'reseolio';

// The job of a killed process runs again when its lease is over; that is 15 seconds unless told otherwise.
const reseolio = new Reseolio({ storage: 'lmdb://./await-after-restart', leaseMs: 1000 });

const renderVideo = reseolio.durable('videos:render', async (title: string) => {
  const { id, attempt } = currentJob();
  console.log(`process ${process.pid} renders "${title}", attempt ${attempt}`);
  process.send?.(id);
  await setTimeout(attempt === 1 ? 60_000 : 100);
  return `${title}.mp4`;
});

const isFirstProcess = process.send !== undefined;

if (isFirstProcess) {
  await reseolio.start();
  await renderVideo('Holidays');
} else {
  const firstProcess = fork(fileURLToPath(import.meta.url));
  const [jobId] = (await once(firstProcess, 'message')) as [string];
  firstProcess.kill('SIGKILL');
  console.log(`kill -9 ${firstProcess.pid}`);

  await reseolio.start();
  const handle = reseolio.getHandle<string>(jobId);
  const file = await handle.result();
  const { history } = await handle.details();
  console.log(`${file} is there; ${history[0]?.error.message}`);
  await reseolio.stop();

  assert.equal(file, 'Holidays.mp4');
  assert.equal(history[0]?.outcome, 'lost');
  await rm('await-after-restart', { recursive: true });
}
