export const MINUTE_MS = 60_000;

/** The clocks of a zone are set to another offset. Both in minutes: `at` since 1970, `offset` ahead of UTC. */
export interface ClockChange {
  readonly at: number;
  readonly offset: number;
  readonly offsetBefore: number;
}

/** What the clocks of a zone show over a stretch of time, as Intl has it. */
export interface ZoneClock {
  readonly timezone: string;
  /** At the start of the stretch. */
  readonly offset: number;
  readonly changes: readonly ClockChange[];
}

const MINUTES_OF_HOUR = 60;

/** Asks for every hour of the stretch, and by minutes for where two hours differ. `from` and `to` in minutes. */
export function readZoneClock(timezone: string, from: number, to: number): ZoneClock {
  const offsetAt = offsetReader(timezone);
  const changes: ClockChange[] = [];
  const first = offsetAt(from);
  let offsetBefore = first;
  for (let hour = from + MINUTES_OF_HOUR; hour < to; hour += MINUTES_OF_HOUR) {
    if (offsetAt(hour) === offsetBefore) continue;
    for (let at = hour - MINUTES_OF_HOUR + 1; at <= hour; at++) {
      const offset = offsetAt(at);
      if (offset !== offsetBefore) changes.push({ at, offset, offsetBefore });
      offsetBefore = offset;
    }
  }
  return { timezone, offset: first, changes };
}

/** Two zones with the same key show the same times all along. */
export function clockKey({ offset, changes }: ZoneClock): string {
  return [offset, ...changes.map((change) => `${change.at}:${change.offset}`)].join(' ');
}

function offsetReader(timezone: string): (minute: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (minute) => {
    const shown = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/.exec(format.format(minute * MINUTE_MS));
    const [month = 0, day, year = 0, hour, minutes, second] = (shown ?? []).slice(1).map(Number);
    const offset = Date.UTC(year, month - 1, day, hour, minutes, second) / MINUTE_MS - minute;
    if (!Number.isInteger(offset)) throw new Error(`the clocks of ${timezone} are ${offset} minutes ahead`);
    return offset;
  };
}
