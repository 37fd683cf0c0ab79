import type { JobRecord, JobSummary } from '../../src/core/job.ts';
import type { ScheduleSummary } from '../../src/core/schedule-record.ts';
import type { Storage } from '../../src/core/storage.ts';

/** `storage` with some methods of another kind. */
export function override(storage: Storage, methods: Partial<Storage>): Storage {
  return {
    enqueue: (params) => storage.enqueue(params),
    enqueueInTransaction: (params) => storage.enqueueInTransaction(params),
    claim: (params) => storage.claim(params),
    extendLeases: (params) => storage.extendLeases(params),
    settle: (params) => storage.settle(params),
    recordSteps: (params) => storage.recordSteps(params),
    getSteps: (params) => storage.getSteps(params),
    signal: (params) => storage.signal(params),
    getSignals: (params) => storage.getSignals(params),
    reclaimExpired: (params) => storage.reclaimExpired(params),
    cancel: (params) => storage.cancel(params),
    retry: (params) => storage.retry(params),
    getJobs: (params) => storage.getJobs(params),
    getAttempts: (params) => storage.getAttempts(params),
    listJobs: (params) => storage.listJobs(params),
    counts: () => storage.counts(),
    prune: (params) => storage.prune(params),
    createSchedule: (params) => storage.createSchedule(params),
    getSchedule: (params) => storage.getSchedule(params),
    listSchedules: (params) => storage.listSchedules(params),
    updateSchedule: (params) => storage.updateSchedule(params),
    listDueSchedules: (params) => storage.listDueSchedules(params),
    fireSchedules: (params) => storage.fireSchedules(params),
    watch: (listener) => storage.watch(listener),
    close: () => storage.close(),
    ...methods,
  };
}

/** Shows jobs as `show` says, everywhere but in `enqueue`: so that a bug hides in the behaviour alone. */
export function disguiseJobs(storage: Storage, show: <T extends JobSummary>(job: T) => T): Storage {
  const showOrNull = (job: JobRecord | null): JobRecord | null => (job === null ? null : show(job));
  return override(storage, {
    claim: async (params) => {
      const { jobs, nextDueInMs } = await storage.claim(params);
      return { jobs: jobs.map(show), nextDueInMs };
    },
    getJobs: async (params) => (await storage.getJobs(params)).map(showOrNull),
    listJobs: async (params) => {
      const { jobs, total } = await storage.listJobs(params);
      return { jobs: jobs.map(show), total };
    },
  });
}

/** Shows schedules as `show` says, everywhere: so that a bug hides in the behaviour alone. */
export function disguiseSchedules(storage: Storage, show: <T extends ScheduleSummary>(schedule: T) => T): Storage {
  return override(storage, {
    createSchedule: async (params) => {
      const result = await storage.createSchedule(params);
      return { ...result, schedule: show(result.schedule) };
    },
    getSchedule: async (params) => {
      const { schedule, now } = await storage.getSchedule(params);
      return { schedule: schedule === null ? null : show(schedule), now };
    },
    listSchedules: async (params) => {
      const { schedules, total } = await storage.listSchedules(params);
      return { schedules: schedules.map(show), total };
    },
    updateSchedule: async (params) => {
      const result = await storage.updateSchedule(params);
      return result.status === 'changed' ? { ...result, schedule: show(result.schedule) } : result;
    },
    listDueSchedules: async (params) => {
      const result = await storage.listDueSchedules(params);
      return { ...result, schedules: result.schedules.map(show) };
    },
  });
}
