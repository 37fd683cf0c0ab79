import { openStorage } from '../../../src/backends/open-storage.ts';
import { createSystemRuntime } from '../../../src/core/runtime.ts';
import type { Storage } from '../../../src/core/storage.ts';
import { currentJob, Reseolio } from '../../../src/index.ts';
import { report } from '../../processes/report.ts';
import { plantScheduleBug } from './planted-schedule-bugs.ts';
import type { ScheduleChildParams } from './schedule-node.ts';

/**
 * A process that declares schedules, fires them and runs their jobs: `node schedule-child.js <ScheduleChildParams as JSON>`.
 * Told `declare`, declares; told `stop`, stops.
 *
 *   ready
 *   declared <name> <time>      and what the storage's clock read just before
 *   all-declared
 *   firing | fired              a call of the storage began, or was answered
 *   made <schedule id> <due at> this process made the job of an occurrence
 *   ran <schedule id> <due at>  a handler was called
 *   wrong <error>
 */
const { url, shiftMs, bug, schedules } = JSON.parse(process.argv[2] as string) as ScheduleChildParams;

const system = createSystemRuntime();
const runtime = { ...system, now: () => system.now() + shiftMs };
const stored = await openStorage(url, { runtime, durability: 'strict', migrate: 'auto' });

const planted: Storage = bug === null ? stored : withMethods(stored, plantScheduleBug(stored, bug, runtime.now));
const storage = withMethods(planted, {
  async fireSchedules(params) {
    report('firing');
    const statuses = await planted.fireSchedules(params);
    report('fired');
    return statuses;
  },
});

/** `target` with some methods of its own. */
function withMethods(target: Storage, methods: Partial<Storage>): Storage {
  return new Proxy(target, {
    get(_, key) {
      const method: unknown = Reflect.get(methods, key) ?? Reflect.get(target, key);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}

// A node that died is followed soon, and its jobs have attempts for as many deaths as there may be.
const reseolio = new Reseolio({ storage, runtime, leaseMs: 1000 });
reseolio.on('schedule:fire', ({ scheduleId, dueAt }) => report(`made ${scheduleId} ${dueAt}`));
reseolio.on('schedule:skip', ({ name, reason }) => report(`wrong ${name} skips what was ${reason}`));
reseolio.on('schedule:error', ({ name, error }) => report(`wrong ${name} ${String(error)}`));
reseolio.on('storage:error', ({ operation, error }) => report(`wrong ${operation} ${String(error)}`));

const tick = reseolio.durable(
  'tick',
  async () => {
    const { occurrence } = currentJob();
    report(`ran ${occurrence?.scheduleId} ${occurrence?.dueAt}`);
  },
  { maxAttempts: 100, initialDelayMs: 10, maxDelayMs: 10 },
);

const commands: Record<string, () => Promise<void>> = {
  async declare() {
    for (const { name, cron } of schedules) {
      const { now } = await stored.getSchedule({ idOrName: name });
      await tick.schedule({ name, cron, catchUp: 'all', catchUpLimit: 1000 });
      report(`declared ${name} ${now}`);
    }
    report('all-declared');
  },
  async stop() {
    await reseolio.stop();
    await stored.close();
    process.stdin.destroy();
  },
};

await reseolio.start();
report('ready');
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  for (const command of text.trim().split('\n')) void commands[command]?.();
});
