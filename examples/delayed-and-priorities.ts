// Jobs that wait for their time, go first when it comes, or are called off before.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { JobCancelledError, Reseolio } from 'reseolio';

// One at a time, so that the order is plain to see.
const reseolio = new Reseolio({ storage: 'lmdb://./delayed-and-priorities', workerConcurrency: 1 });
const delivered: string[] = [];

const remind = reseolio.durable('reminders:deliver', async (text: string) => {
  console.log(`reminder: ${text}`);
  delivered.push(text);
});

await reseolio.start();

// All are due at the same moment. The one of the highest priority is delivered first, equal ones as they were called.
const runAt = new Date(Date.now() + 300);
const handles = [
  await remind('water the plants', { runAt, priority: -10 }),
  await remind('call the dentist', { runAt }),
  await remind('buy bread', { runAt }),
  await remind('the stove is on', { runAt, priority: 100 }),
];
assert.equal(await handles[0]?.status(), 'pending');

// Due in an hour, were it not for a change of mind.
const farewell = await remind('say goodbye', { delayMs: 60 * 60 * 1000 });
assert.equal(await farewell.cancel(), true);
await assert.rejects(farewell.result(), JobCancelledError);

await Promise.all(handles.map((handle) => handle.result()));
assert.deepEqual(delivered, ['the stove is on', 'call the dentist', 'buy bread', 'water the plants']);

await reseolio.stop();
await rm('delayed-and-priorities', { recursive: true });
