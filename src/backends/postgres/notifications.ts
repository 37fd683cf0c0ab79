import type { StorageHint } from '../../core/storage.ts';

/** What one process tells the others, as the payload of a NOTIFY. */
export interface Notification {
  /** The storage that sent it, which has told its own watchers already; null: a transaction of somebody else. */
  readonly origin: string | null;
  /** Names with work; null: any may have some. */
  readonly work: readonly string[] | null;
  /** Jobs that ended; null: some did. */
  readonly finished: readonly string[] | null;
  /** Jobs that were sent signals, or asked to stop; null: some were. */
  readonly signals: readonly string[] | null;
  /** Schedules were made or changed. */
  readonly hasSchedules: boolean;
  /** The work was committed by a transaction that may have begun long ago. */
  readonly isLate: boolean;
}

/** NOTIFY takes 7999 bytes; names and ids have one byte a character. */
const MAX_CHARACTERS = 7900;

export function channelOf(schema: string): string {
  return `reseolio_${schema}`;
}

/** What does not fit is said without particulars. */
export function writeNotification({ origin, work, finished, signals, hasSchedules, isLate }: Notification): string {
  const write = (names: readonly string[] | null, ids: readonly string[] | null, told: readonly string[] | null) =>
    JSON.stringify({
      origin,
      work: names,
      finished: ids,
      ...(told?.length === 0 ? {} : { signals: told }),
      ...(hasSchedules ? { schedules: true } : {}),
      ...(isLate ? { late: true } : {}),
    });
  const whole = write(work, finished, signals);
  if (whole.length <= MAX_CHARACTERS) return whole;
  const withoutIds = write(work, withoutParticulars(finished), withoutParticulars(signals));
  return withoutIds.length <= MAX_CHARACTERS ? withoutIds : write(null, null, null);
}

function withoutParticulars(ids: readonly string[] | null): readonly string[] | null {
  return ids?.length === 0 ? ids : null;
}

/** Anyone who may connect to the database can send on the channel: what is not understood is taken for a hint at anything. */
export function readNotification(payload: string): Notification {
  try {
    const parsed = JSON.parse(payload) as Readonly<{
      origin: unknown;
      work: unknown;
      finished: unknown;
      signals?: unknown;
      schedules?: unknown;
      late?: unknown;
    }>;
    return {
      origin: typeof parsed.origin === 'string' ? parsed.origin : null,
      work: readTexts(parsed.work),
      finished: readTexts(parsed.finished),
      signals: parsed.signals === undefined ? [] : readTexts(parsed.signals),
      hasSchedules: parsed.schedules === true,
      isLate: parsed.late === true,
    };
  } catch {
    return { origin: null, work: null, finished: null, signals: null, hasSchedules: true, isLate: true };
  }
}

export function hintsOf({ work, finished, signals, hasSchedules }: Notification): StorageHint[] {
  const hints: StorageHint[] = [];
  if (work === null || work.length > 0) hints.push({ kind: 'work', names: work });
  if (finished === null || finished.length > 0) hints.push({ kind: 'finished', jobIds: finished });
  if (signals === null || signals.length > 0) hints.push({ kind: 'signals', jobIds: signals });
  if (hasSchedules) hints.push({ kind: 'schedules' });
  return hints;
}

function readTexts(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : null;
}
