// A deployment stops this process. What can end in time ends; what cannot is handed to the next process unharmed.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { currentJob, Reseolio } from 'reseolio';

function createClient() {
  const reseolio = new Reseolio({ storage: 'lmdb://./graceful-shutdown', shutdownGraceMs: 500 });

  const sendInvoice = reseolio.durable('invoices:send', async (customer: string) => {
    await setTimeout(200);
    return `invoice for ${customer}`;
  });

  const buildReport = reseolio.durable('reports:build', async (pages: number) => {
    const { signal, attempt } = currentJob();
    // The signal aborts when the grace time is over. A handler that heeds it stops at once.
    for (let page = 1; page <= pages; page++) await setTimeout(100, null, { signal });
    return `report of ${pages} pages, built by attempt ${attempt}`;
  });

  return { reseolio, sendInvoice, buildReport };
}

const before = createClient();
await before.reseolio.start();
const invoice = await before.sendInvoice('Ada');
const report = await before.buildReport(10);
await setTimeout(100);
assert.equal(await report.status(), 'running');

// A service would say: process.once('SIGTERM', () => void reseolio.stop()), and nothing would keep it alive any more.
await before.reseolio.stop();
console.log('stopped within the grace time');

// The next process, for which a second client stands here.
const after = createClient();
await after.reseolio.start();
assert.equal(await after.reseolio.getHandle(invoice.jobId).status(), 'success');
const reportText = await after.reseolio.getHandle(report.jobId).result();
console.log(reportText);
await after.reseolio.stop();

// The attempt that the shutdown ended does not count.
assert.equal(reportText, 'report of 10 pages, built by attempt 1');
await rm('graceful-shutdown', { recursive: true });
