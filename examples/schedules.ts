/**
 * Recurring calls. Every process of an app can run this when it starts: the schedule is made once, and each occurrence
 * makes one job, whichever of the processes run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { currentJob, Reseolio } from 'reseolio';

const directory = mkdtempSync(join(tmpdir(), 'reseolio-example-'));
const reseolio = new Reseolio({ storage: `lmdb://${directory}` });

const heartbeat = reseolio.durable('ops:heartbeat', async (service: string) => {
  const due = new Date(currentJob().occurrence?.dueAt ?? 0).toISOString();
  console.log(`${service} is alive, for ${due}`);
});
const report = reseolio.durable('reports:send', async (region: string) => `sent ${region}`);

await reseolio.start();

const everySecond = await heartbeat.schedule({ cron: '* * * * * *' }, 'web');
const same = await heartbeat.schedule({ cron: '* * * * * *' }, 'web');
console.log('declared twice, stored once:', same.id === everySecond.id);

const mondays = await report.with({ timezone: 'America/New_York', overlap: 'skip' }).weekly(1, 9, 'AMER');
const next = await mondays.nextRunAt();
console.log('next report:', next === null ? 'never' : new Date(next).toISOString());

await new Promise<void>((resolve) => {
  let fired = 0;
  reseolio.on('schedule:fire', () => {
    if (++fired === 2) resolve();
  });
});
await everySecond.pause();
console.log('status:', await everySecond.status());
for (const { name, cron, timezone } of (await reseolio.listSchedules()).schedules) console.log(name, cron, timezone);

await reseolio.stop();
rmSync(directory, { recursive: true });
