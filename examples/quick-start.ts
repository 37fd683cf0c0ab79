// A durable function: calling it puts a job on disk, and whoever has the handle can await what became of it.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { Reseolio } from 'reseolio';

const reseolio = new Reseolio({ storage: 'lmdb://./quick-start' });

const sendEmail = reseolio.durable(
  'notifications:email:send',
  async (to: string, subject: string) => {
    console.log(`sending "${subject}" to ${to}`);
    return { sent: true };
  },
  { maxAttempts: 5 },
);

await reseolio.start();

const handle = await sendEmail('user@example.com', 'Welcome!');
console.log(`job ${handle.jobId} is on disk: from here on, no crash loses it`);

const { sent } = await handle.result();
console.log(`sent: ${sent}`);

await reseolio.stop();

assert.equal(sent, true);
await rm('quick-start', { recursive: true });
