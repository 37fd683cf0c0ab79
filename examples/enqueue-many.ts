// Thousands of jobs in one durable write, and a look at how they are doing.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Reseolio } from 'reseolio';

const reseolio = new Reseolio({ storage: 'lmdb://./enqueue-many', workerConcurrency: 50 });

const hash = reseolio.durable('text:hash', async (text: string) => createHash('sha256').update(text).digest('hex'));

await reseolio.start();

const texts = Array.from({ length: 5000 }, (_, i) => `text ${i}`);
const handles = await hash.enqueueMany(texts.map((text) => [text]));
console.log(`${handles.length} jobs are on disk`);

const [underway] = await reseolio.counts();
console.log('on the way:', underway);

// Results come in the order of the calls, in whichever order the jobs ran.
const hashes = await Promise.all(handles.map((handle) => handle.result()));
console.log(`${texts[42]} -> ${hashes[42]}`);

const [done] = await reseolio.counts();
const { jobs, total } = await reseolio.listJobs({ names: ['text:hash'], statuses: ['success'], limit: 1 });
console.log(`${total} succeeded, the last one called was ${jobs[0]?.id}`);

await reseolio.stop();

assert.equal(hashes[42], createHash('sha256').update('text 42').digest('hex'));
assert.equal(done?.success, texts.length);
assert.equal(jobs[0]?.id, handles.at(-1)?.jobId);
await rm('enqueue-many', { recursive: true });
