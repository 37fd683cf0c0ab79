// A web process and a worker process that share nothing but a directory. This file starts both, and plays the browser.

import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

function startProcess(name: string): ChildProcess {
  return fork(fileURLToPath(new URL(`./web-and-worker/${name}-process.js`, import.meta.url)));
}

async function stopProcess(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  const [exitCode] = await once(child, 'exit');
  assert.equal(exitCode, 0);
}

const web = startProcess('web');
const worker = startProcess('worker');
try {
  const [port] = (await once(web, 'message')) as [number];
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'the quick brown fox' });
  const { words, countedBy } = (await response.json()) as { words: number; countedBy: number };
  console.log(`asked process ${web.pid}; process ${countedBy} counted ${words} words`);
  assert.equal(words, 4);
  assert.equal(countedBy, worker.pid);
} finally {
  await Promise.all([stopProcess(web), stopProcess(worker)]);
  await rm('web-and-worker', { recursive: true });
}
