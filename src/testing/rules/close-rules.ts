import assert from 'node:assert/strict';
import { ReseolioError } from '../../core/errors.ts';
import type { RuleGroup } from '../rule-group.ts';
import { ScheduleContext } from '../schedule-context.ts';

export const closeRules: RuleGroup = {
  topic: 'close',
  needs: null,
  rules: {
    'rejects every later call with the code stopped': async (t) => {
      const id = await t.enqueueOne();
      const { storage } = t;
      const lease = { jobId: id, attempt: 1, token: 'token' };
      const s = new ScheduleContext(t);
      const schedule = s.newSchedule();
      const { definition } = schedule;
      const change = { id: schedule.id, revision: 1, definition, state: 'active', nextRunAt: null } as const;
      await storage.close();
      const calls = {
        enqueue: () => storage.enqueue({ jobs: [t.newJob()] }),
        claim: () => storage.claim(t.claimParams()),
        extendLeases: () => storage.extendLeases({ leases: [lease], leaseMs: 1 }),
        settle: () => storage.settle({ settlements: [{ lease, outcome: { kind: 'release' } }] }),
        recordSteps: () => storage.recordSteps({ recordings: [{ lease, from: 0, steps: [] }] }),
        getSteps: () => storage.getSteps({ jobId: id, from: 0, limit: 1 }),
        signal: () => storage.signal({ signals: [{ id: t.nextId(), jobId: id, name: 'go', payload: null }] }),
        getSignals: () => storage.getSignals({ jobId: id, from: 0, limit: 1 }),
        reclaimExpired: () => storage.reclaimExpired({ limit: 1 }),
        cancel: () => storage.cancel({ jobIds: [id], isRunningIncluded: false }),
        retry: () => storage.retry({ jobIds: [id] }),
        getJobs: () => storage.getJobs({ jobIds: [id] }),
        getAttempts: () => storage.getAttempts({ jobId: id }),
        listJobs: () => t.list(),
        counts: () => storage.counts(),
        createSchedule: () => storage.createSchedule({ schedule }),
        getSchedule: () => storage.getSchedule({ idOrName: 'x' }),
        listSchedules: () => s.list(),
        updateSchedule: () => storage.updateSchedule(change),
        listDueSchedules: () => s.listDue(),
        fireSchedules: () => storage.fireSchedules({ firings: [] }),
        prune: () => storage.prune({ state: 'dead', olderThanMs: 0, limit: 1 }),
      };
      for (const [method, call] of Object.entries(calls)) {
        await assert.rejects(call, (error) => error instanceof ReseolioError && error.code === 'stopped', method);
      }
    },

    'can be called again, and by many': async (t) => {
      await Promise.all([t.storage.close(), t.storage.close()]);
      await t.storage.close();
    },

    'finishes what was called before': async (t) => {
      const jobs = Array.from({ length: 20 }, () => t.newJob());
      const calls = jobs.map((job) => t.storage.enqueue({ jobs: [job] }));
      const closed = t.storage.close();
      assert.deepEqual(
        await Promise.all(calls),
        jobs.map(({ id }) => [{ jobId: id, deduplicated: false }]),
      );
      await closed;
    },

    'lets watchers leave afterwards': async (t) => {
      const stop = t.storage.watch(() => {});
      await t.storage.close();
      stop();
    },
  },
};
