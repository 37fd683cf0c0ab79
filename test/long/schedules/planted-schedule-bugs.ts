import type { FireSchedulesParams, FiringStatus, ScheduleFiring } from '../../../src/core/schedule-operations.ts';
import type { Storage } from '../../../src/core/storage.ts';

/**
 * Planted bugs, which the tests have to find. `jobs-first`, `advance-first`: a firing is two calls, in this order, between
 * which a process can die. `own-clock`: what the clock of the process reads decides when a schedule is due.
 */
export type ScheduleBug = 'jobs-first' | 'advance-first' | 'own-clock';

/** Time enough to be killed in. */
export const HALVES_APART_MS = 200;

export function plantScheduleBug(storage: Storage, bug: ScheduleBug, now: () => number): Partial<Storage> {
  switch (bug) {
    case 'jobs-first':
      return { fireSchedules: (params) => fireTorn(storage, params, [jobsOnly, advanceOnly]) };
    case 'advance-first':
      return { fireSchedules: (params) => fireTorn(storage, params, [advanceOnly, jobsOnly]) };
    case 'own-clock':
      return {
        getSchedule: async (params) => ({ ...(await storage.getSchedule(params)), now: now() }),
        listDueSchedules: async (params) => ({ ...(await storage.listDueSchedules(params)), now: now() }),
      };
  }
}

type Half = (firing: ScheduleFiring, isFirst: boolean) => ScheduleFiring;

async function fireTorn(
  storage: Pick<Storage, 'fireSchedules'>,
  { firings }: Readonly<FireSchedulesParams>,
  [first, second]: readonly [Half, Half],
): Promise<FiringStatus[]> {
  const statuses = await storage.fireSchedules({ firings: firings.map((firing) => first(firing, true)) });
  await new Promise((resolve) => setTimeout(resolve, HALVES_APART_MS));
  const rest = firings.map((firing) => second({ ...firing, revision: firing.revision + 1 }, false));
  await storage.fireSchedules({ firings: rest });
  return statuses;
}

/** If this comes first, the schedule is due as it was. */
function jobsOnly(firing: ScheduleFiring, isFirst: boolean): ScheduleFiring {
  return isFirst ? { ...firing, nextRunAt: firing.jobs[0]?.dueAt ?? firing.nextRunAt } : firing;
}

function advanceOnly(firing: ScheduleFiring): ScheduleFiring {
  return { ...firing, jobs: [] };
}
