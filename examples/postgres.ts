// The same functions as on LMDB, on a PostgreSQL server: processes on any number of machines share the jobs.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Reseolio } from 'reseolio';

const databaseUrl = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres';

function createClient(workerConcurrency: number) {
  const reseolio = new Reseolio({ storage: databaseUrl, workerConcurrency });
  const sendEmail = reseolio.durable('notifications:email:send', async (to: string, subject: string) => {
    console.log(`sending "${subject}" to ${to}`);
    return { sentTo: to };
  });
  return { reseolio, sendEmail };
}

// Two clients stand for two machines: one enqueues, the other runs.
const web = createClient(0);
const worker = createClient(10);

// The first to start makes the tables, in a schema of their own.
await Promise.all([web.reseolio.start(), worker.reseolio.start()]);

// The user clicks twice, and gets one email.
const idempotencyKey = `welcome-${randomUUID()}`;
const first = await web.sendEmail('user@example.com', 'Welcome!', { idempotencyKey });
const second = await web.sendEmail('user@example.com', 'Welcome!', { idempotencyKey });
assert.equal(second.jobId, first.jobId);

const { sentTo } = await second.result();
const { workerId } = await first.details();
console.log(`sent to ${sentTo} by ${workerId}`);

await Promise.all([web.reseolio.stop(), worker.reseolio.stop()]);

assert.equal(sentTo, 'user@example.com');
