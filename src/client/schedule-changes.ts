import { ReseolioError } from '../core/errors.ts';
import {
  definitionOf,
  type ScheduleDefinition,
  type ScheduleRecord,
  type ScheduleState,
} from '../core/schedule-record.ts';
import type { Storage } from '../core/storage.ts';

/** What becomes of a stored schedule. */
export type Decision = Readonly<{
  definition: ScheduleDefinition;
  state: ScheduleState;
  nextRunAt: number | null;
}>;

/** Decides what is to become of a schedule that is not deleted; null: it is that already. */
export type Decide = (stored: ScheduleRecord, now: number) => Decision | null;

/** The first occurrence after a time; throws where there is none, and for what cannot be read. */
export type FirstOccurrence = (cron: string, timezone: string, after: number) => number;

/** A change meets a firing, or another change, at times; it does so again and again only if something is wrong. */
export const MAX_TRIES = 100;

/** What parses expressions is loaded when a schedule is used. */
export async function loadFirstOccurrence(): Promise<FirstOccurrence> {
  const { firstOccurrence } = await import('../core/schedule.ts');
  return firstOccurrence;
}

/**
 * Decides on what is stored and carries it out, anew whenever somebody else was faster. Resolves with the schedule as it is
 * then, null if it is deleted.
 *
 * @throws ReseolioError `schedule_not_found` if it was never there.
 */
export async function changeSchedule(
  storage: Storage,
  idOrName: string,
  decide: Decide,
): Promise<ScheduleRecord | null> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const { schedule: stored, now } = await storage.getSchedule({ idOrName });
    if (stored === null) throw scheduleNotFound(idOrName);
    if (stored.state === 'deleted') return null;
    const decision = decide(stored, now);
    if (decision === null) return stored;
    const result = await storage.updateSchedule({ id: stored.id, revision: stored.revision, ...decision });
    if (result.status === 'changed') return result.schedule;
  }
  throw changedTooOften(idOrName);
}

/** Says something else; what comes next is counted anew if it is due at other times. */
export function redefine(
  stored: ScheduleRecord,
  definition: ScheduleDefinition,
  now: number,
  firstOccurrence: FirstOccurrence,
): Decision {
  const { state, cron, timezone } = stored;
  const isSame = definition.cron === cron && definition.timezone === timezone;
  const nextRunAt = isSame ? stored.nextRunAt : firstOccurrence(definition.cron, definition.timezone, now);
  return { definition, state, nextRunAt: state === 'active' ? nextRunAt : null };
}

export const pause: Decide = (stored) =>
  stored.state === 'paused' ? null : { definition: definitionOf(stored), state: 'paused', nextRunAt: null };

/** What came while it was paused is not made up for. */
export function resumeBy(firstOccurrence: FirstOccurrence): Decide {
  return (stored, now) => {
    if (stored.state === 'active') return null;
    const nextRunAt = firstOccurrence(stored.cron, stored.timezone, now);
    return { definition: definitionOf(stored), state: 'active', nextRunAt };
  };
}

export const remove: Decide = (stored) => ({ definition: definitionOf(stored), state: 'deleted', nextRunAt: null });

export function scheduleNotFound(idOrName: string): ReseolioError {
  return new ReseolioError('schedule_not_found', `there is no schedule ${idOrName}, or it was deleted: make it anew`);
}

export function changedTooOften(idOrName: string): ReseolioError {
  return new ReseolioError(
    'storage_overloaded',
    `schedule ${idOrName} was changed by others ${MAX_TRIES} times in a row: try again`,
  );
}
