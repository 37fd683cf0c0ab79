// What a payment needs: retries when the network fails, none when the card is declined, and never two jobs for one order.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { currentJob, JobFailedError, NonRetryableError, Reseolio } from 'reseolio';

const reseolio = new Reseolio({ storage: 'lmdb://./payments' });

const charge = reseolio.durable(
  'payments:charge',
  async (card: string, cents: number) => {
    const { id, attempt } = currentJob();
    console.log(`charging ${cents} cents to ${card}, attempt ${attempt}`);

    // Trying again would not help: the job ends here, whatever attempts are left.
    if (card === 'declined') throw new NonRetryableError('the card was declined');

    // Trying again may help: the next attempt comes after a delay.
    if (attempt === 1) throw new Error('the bank did not answer');

    // An attempt may crash after the bank was told, and run again: the id makes the bank's side idempotent too.
    return { receipt: `receipt-${id}`, cents };
  },
  { maxAttempts: 5, backoff: 'exponential', initialDelayMs: 50 },
);

await reseolio.start();

// The customer clicks twice. The second call finds the first one's job.
const first = await charge('4242', 1999, { idempotencyKey: 'order-1' });
const second = await charge('4242', 1999, { idempotencyKey: 'order-1' });
assert.equal(second.jobId, first.jobId);
assert.equal(second.deduplicated, true);

const { cents } = await second.result();
const { attempt, history } = await first.details();
console.log(`paid ${cents} cents with attempt ${attempt}; before that: ${history[0]?.error.message}`);
assert.equal(attempt, 2);

const declined = await charge('declined', 1999, { idempotencyKey: 'order-2' });
await assert.rejects(declined.result(), (error) => {
  assert(error instanceof JobFailedError);
  console.log(`not paid: ${error.message}`);
  assert.equal(error.attempts, 1);
  return true;
});

await reseolio.stop();
await rm('payments', { recursive: true });
