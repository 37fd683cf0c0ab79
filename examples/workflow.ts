// A durable function that calls others, sleeps and waits for an approval. It is stopped on the way, and goes on where it was.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Reseolio, sleep, step, waitForSignal } from 'reseolio';

const printed = new EventTarget();
const effects: string[] = [];

function log(effect: string): void {
  console.log(effect);
  effects.push(effect);
}

function printLabel(orderId: string): string {
  log(`label for ${orderId}`);
  printed.dispatchEvent(new Event('label'));
  return `L-${orderId}`;
}

/** What each process of the app does when it starts. */
function createApp() {
  const reseolio = new Reseolio({ storage: 'lmdb://./workflow' });
  const chargePayment = reseolio.durable('orders:payment:charge', async (orderId: string) => {
    log(`charge ${orderId}`);
    return { chargeId: `ch-${orderId}` };
  });
  const ship = reseolio.durable('orders:parcel:ship', async (item: string, label: string) => {
    log(`ship ${item} as ${label}`);
    return `${item} is on its way`;
  });

  const processOrder = reseolio.durable('orders:process', async (orderId: string, items: string[]) => {
    const payment = await chargePayment(orderId); // a job of its own: a child of this one
    const { chargeId } = await payment.result(); // gives its slot to others while it waits
    const label = await step('label', () => printLabel(orderId)); // run here, once
    const { by } = await waitForSignal<{ by: string }>('approve'); // may take days, and a restart
    await sleep('1 second');
    const parcels = await Promise.all(items.map(async (item) => (await ship(item, label)).result()));
    return { chargeId, approvedBy: by, parcels };
  });
  return { reseolio, processOrder };
}

const first = createApp();
await first.reseolio.start();
const { jobId } = await first.processOrder('o-1', ['book', 'lamp']);
await once(printed, 'label');
await first.reseolio.stop();
console.log('the first process has stopped; the order waits for its approval');

const second = createApp();
await second.reseolio.start();
const handle = second.reseolio.getHandle(jobId);
await handle.signal('approve', { by: 'Ada' });
const result = await handle.result();
console.log(result);
await second.reseolio.stop();

assert.deepEqual(result, {
  chargeId: 'ch-o-1',
  approvedBy: 'Ada',
  parcels: ['book is on its way', 'lamp is on its way'],
});
assert.deepEqual(effects.slice(0, 2), ['charge o-1', 'label for o-1']);
assert.deepEqual(effects.slice(2).toSorted(), ['ship book as L-o-1', 'ship lamp as L-o-1']);
await rm('workflow', { recursive: true });
