import type { Payload } from '../../src/core/payload.ts';
import type { FiringStatus, NewSchedule, ScheduleFiring } from '../../src/core/schedule-operations.ts';
import type { Overlap, ScheduleRecord, ScheduleState } from '../../src/core/schedule-record.ts';
import type { Storage } from '../../src/core/storage.ts';
import { disguiseJobs, disguiseSchedules, override } from './override-storage.ts';
import type { PlantedBug } from './planted-bugs.ts';

/** Mistakes that a storage could make with schedules. */
export const PLANTED_SCHEDULE_BUGS: Readonly<Record<string, PlantedBug>> = {
  'fires a schedule whatever its revision': {
    plant: (storage) => changeFirings(storage, (firing, { revision }) => ({ ...firing, revision })),
    brokenRule: 'firing schedules: does nothing for one who came too late',
    isSeenByModel: true,
  },
  'makes a job and does not go on': {
    plant: (storage) => changeFirings(storage, (firing, { nextRunAt }) => ({ ...firing, nextRunAt })),
    brokenRule: 'firing schedules: goes on to the next occurrence and notes the last',
    isSeenByModel: true,
  },
  'goes on without making the job': {
    plant: (storage) => changeFirings(storage, (firing) => ({ ...firing, jobs: [] })),
    brokenRule: 'firing schedules: makes the job that the schedule says, for the occurrence',
    isSeenByModel: true,
  },
  'makes one job of many occurrences': {
    plant: (storage) => changeFirings(storage, (firing) => ({ ...firing, jobs: firing.jobs.slice(-1) })),
    brokenRule: 'firing schedules: makes several jobs, claimed in the order of their occurrences',
    isSeenByModel: true,
  },
  'makes jobs of what a schedule said at first': {
    plant: keepFirstArgs,
    brokenRule: 'firing schedules: makes jobs of what the schedule says by now',
    isSeenByModel: true,
  },
  'ignores overlaps': {
    plant: ignoreOverlap,
    brokenRule: 'firing schedules: skips an overlap until the last job has ended',
    isSeenByModel: true,
  },
  'takes a dead job for one that has not ended': {
    plant: waitForDead,
    brokenRule: 'firing schedules: takes a dead job for one that has ended, until it is retried',
    isSeenByModel: true,
  },
  'loses the occurrence of a job': {
    plant: (storage) => disguiseJobs(storage, (job) => ({ ...job, occurrence: null })),
    brokenRule: 'firing schedules: makes the job that the schedule says, for the occurrence',
    isSeenByModel: true,
  },
  'loses the occurrence of a job that failed': {
    plant: (storage) => disguiseJobs(storage, (job) => (job.error === null ? job : { ...job, occurrence: null })),
    brokenRule: 'firing schedules: keeps the occurrence of a job whatever becomes of it',
    isSeenByModel: true,
  },
  'forgets the last job of a schedule': {
    plant: (storage) => disguiseSchedules(storage, (schedule) => ({ ...schedule, lastJobId: null })),
    brokenRule: 'firing schedules: goes on to the next occurrence and notes the last',
    isSeenByModel: true,
  },
  'forgets the last job of a schedule that is changed': {
    plant: forgetLastJob,
    brokenRule: 'schedules: keeps what it fired last when it is changed, paused or deleted',
    isSeenByModel: true,
  },
  'takes a firing for a change': {
    plant: noteFirings,
    brokenRule: 'firing schedules: goes on to the next occurrence and notes the last',
    isSeenByModel: true,
  },
  'forgets when a schedule was changed': {
    plant: (storage) => disguiseSchedules(storage, (schedule) => ({ ...schedule, updatedAt: schedule.createdAt })),
    brokenRule: 'schedules: changes what it says, and counts the change',
    isSeenByModel: true,
  },
  'changes a schedule that has changed since': {
    plant: (storage) =>
      override(storage, {
        updateSchedule: async (params) => {
          const stored = await read(storage, params.id);
          return storage.updateSchedule({ ...params, revision: stored?.revision ?? params.revision });
        },
      }),
    brokenRule: 'schedules: changes nothing that has changed since',
    isSeenByModel: true,
  },
  'lets two schedules have one name': {
    plant: (storage) => shareNames(storage, ['active', 'paused']),
    brokenRule: 'schedules: gives the one that has the name, and stores nothing',
    isSeenByModel: true,
  },
  'frees the name of a paused schedule': {
    plant: (storage) => shareNames(storage, ['paused']),
    brokenRule: 'schedules: keeps the name of a paused one',
    isSeenByModel: true,
  },
  'keeps the name of a deleted schedule': {
    plant: keepDeletedNames,
    brokenRule: 'schedules: frees the name of a deleted one, which can still be read',
    isSeenByModel: true,
  },
  'takes the repeat of a creation for a name that is taken': {
    plant: forgetCreations,
    brokenRule: 'schedules: takes a repeated id for a repeat of the same call',
    isSeenByModel: true,
  },
  'lists due schedules late': {
    plant: (storage) =>
      override(storage, {
        listDueSchedules: async (params) => {
          const result = await storage.listDueSchedules(params);
          return { ...result, schedules: result.schedules.filter(({ nextRunAt }) => nextRunAt !== result.now) };
        },
      }),
    brokenRule: 'firing schedules: lists what is due, the earliest first, and says when the next is',
    isSeenByModel: true,
  },
  'lists paused schedules as due': {
    plant: (storage) =>
      override(storage, {
        listDueSchedules: async (params) => {
          const result = await storage.listDueSchedules(params);
          const limit = params.limit - result.schedules.length;
          const paused = await storage.listSchedules({ states: ['paused'], limit, offset: 0 });
          return { ...result, schedules: [...result.schedules, ...paused.schedules] };
        },
      }),
    brokenRule: 'firing schedules: lists neither what is paused or deleted nor what has nothing to come',
    isSeenByModel: true,
  },
  'lists a page of schedules too late': {
    plant: (storage) =>
      override(storage, {
        listSchedules: (params) =>
          storage.listSchedules({ ...params, offset: params.offset === 0 ? 0 : params.offset + 1 }),
      }),
    brokenRule: 'schedules: lists by state, then by what comes next',
    isSeenByModel: true,
  },
};

async function read(storage: Storage, idOrName: string): Promise<ScheduleRecord | null> {
  return (await storage.getSchedule({ idOrName })).schedule;
}

/** Fires something else than was asked for, but for schedules that are not there. */
function changeFirings(
  storage: Storage,
  change: (firing: ScheduleFiring, stored: ScheduleRecord) => ScheduleFiring,
): Storage {
  return override(storage, {
    fireSchedules: async ({ firings }) => {
      const changed = firings.map(async (firing) => {
        const stored = await read(storage, firing.scheduleId);
        return stored === null ? firing : change(firing, stored);
      });
      return storage.fireSchedules({ firings: await Promise.all(changed) });
    },
  });
}

function keepFirstArgs(storage: Storage): Storage {
  const first = new Map<string, Payload>();
  const disguised = disguiseJobs(storage, (job) => {
    const args = job.occurrence === null ? undefined : first.get(job.occurrence.scheduleId);
    return args !== undefined && 'args' in job ? { ...job, args } : job;
  });
  return override(disguised, {
    createSchedule: async (params) => {
      const result = await storage.createSchedule(params);
      const { id, args } = result.schedule;
      if (!first.has(id)) first.set(id, args);
      return result;
    },
  });
}

function ignoreOverlap(storage: Storage): Storage {
  const said = new Map<string, Overlap>();
  const disguised = disguiseSchedules(storage, (schedule) => ({
    ...schedule,
    overlap: said.get(schedule.id) ?? schedule.overlap,
  }));
  return override(disguised, {
    createSchedule: ({ schedule }) => {
      if (!said.has(schedule.id)) said.set(schedule.id, schedule.definition.overlap);
      return disguised.createSchedule({
        schedule: { ...schedule, definition: { ...schedule.definition, overlap: 'allow' } },
      });
    },
    updateSchedule: async (params) => {
      const stored = await read(storage, params.id);
      if (stored?.revision === params.revision) said.set(params.id, params.definition.overlap);
      return disguised.updateSchedule({ ...params, definition: { ...params.definition, overlap: 'allow' } });
    },
  });
}

function waitForDead(storage: Storage): Storage {
  const waits = async ({ scheduleId }: ScheduleFiring): Promise<boolean> => {
    const stored = await read(storage, scheduleId);
    if (stored === null || stored.overlap === 'allow' || stored.lastJobId === null) return false;
    const [last] = await storage.getJobs({ jobIds: [stored.lastJobId] });
    return last?.state === 'dead';
  };
  return override(storage, {
    fireSchedules: async ({ firings }) => {
      const waiting = await Promise.all(firings.map(waits));
      const statuses = await storage.fireSchedules({
        firings: firings.map((firing, i) => (waiting[i] ? { ...firing, jobs: [] } : firing)),
      });
      return statuses.map((status, i): FiringStatus => (waiting[i] && status === 'fired' ? 'overlapped' : status));
    },
  });
}

function forgetLastJob(storage: Storage): Storage {
  const forgotten = new Set<string>();
  const disguised = disguiseSchedules(storage, (schedule) =>
    schedule.lastJobId !== null && forgotten.has(schedule.lastJobId)
      ? { ...schedule, lastJobId: null, lastRunAt: null }
      : schedule,
  );
  return override(disguised, {
    updateSchedule: async (params) => {
      const result = await storage.updateSchedule(params);
      if (result.status !== 'changed' || result.schedule.lastJobId === null) return result;
      forgotten.add(result.schedule.lastJobId);
      return { ...result, schedule: { ...result.schedule, lastJobId: null, lastRunAt: null } };
    },
  });
}

function noteFirings(storage: Storage): Storage {
  const firedAt = new Map<string, number>();
  const disguised = disguiseSchedules(storage, (schedule) => ({
    ...schedule,
    updatedAt: Math.max(schedule.updatedAt, firedAt.get(schedule.id) ?? 0),
  }));
  return override(disguised, {
    fireSchedules: async (params) => {
      const { now } = await storage.listDueSchedules({ limit: 0 });
      const statuses = await storage.fireSchedules(params);
      for (const [i, { scheduleId }] of params.firings.entries()) {
        if (statuses[i] !== 'stale') firedAt.set(scheduleId, now);
      }
      return statuses;
    },
  });
}

/** Makes one more schedule of a name while the one that has it is in one of `states`. */
function shareNames(storage: Storage, states: readonly ScheduleState[]): Storage {
  const names = new Map<string, string>();
  const lastIds = new Map<string, string>();
  const disguised = disguiseSchedules(storage, (schedule) => ({
    ...schedule,
    name: names.get(schedule.id) ?? schedule.name,
  }));
  const rename = (schedule: NewSchedule): NewSchedule => {
    names.set(schedule.id, schedule.name);
    lastIds.set(schedule.name, schedule.id);
    return { ...schedule, name: `${schedule.name} of ${schedule.id}` };
  };
  return override(disguised, {
    createSchedule: async ({ schedule }) => {
      const owner = await read(storage, lastIds.get(schedule.name) ?? schedule.name);
      const isShared = owner !== null && owner.id !== schedule.id && states.includes(owner.state);
      return disguised.createSchedule({ schedule: isShared ? rename(schedule) : schedule });
    },
    getSchedule: ({ idOrName }) => disguised.getSchedule({ idOrName: lastIds.get(idOrName) ?? idOrName }),
  });
}

function keepDeletedNames(storage: Storage): Storage {
  return override(storage, {
    createSchedule: async ({ schedule }) => {
      const owner = (await read(storage, schedule.id)) ?? (await read(storage, schedule.name));
      if (owner?.state !== 'deleted') return storage.createSchedule({ schedule });
      return { schedule: owner, isNew: owner.id === schedule.id };
    },
  });
}

function forgetCreations(storage: Storage): Storage {
  return override(storage, {
    createSchedule: async (params) => {
      const known = await read(storage, params.schedule.id);
      return known === null ? storage.createSchedule(params) : { schedule: known, isNew: false };
    },
  });
}
