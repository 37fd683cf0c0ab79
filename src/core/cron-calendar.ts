/** Which seconds of a calendar a cron expression names. All lists are sorted and hold no number twice. */
export interface CronFields {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** 1 to 12. */
  readonly months: readonly number[];
  readonly isDayMatch: DayMatch;
}

/** Whether a day is named. `dayOfWeek` 0 is Sunday. */
export type DayMatch = (day: Readonly<{ dayOfMonth: number; dayOfWeek: number; daysInMonth: number }>) => boolean;

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;

/** The calendar repeats itself after 28 years (save for 1900, 2100 and so on): what has not come by then never does. */
export const HORIZON_MS = 28 * 366 * DAY_MS;

/**
 * The days and times of day that a cron expression names, on a calendar without time zones: times are milliseconds since
 * 1970 as if all the world had UTC.
 */
export class CronCalendar {
  readonly #fields: CronFields;

  constructor(fields: CronFields) {
    this.#fields = fields;
  }

  /** True: every hour is named, so that the expression speaks of an interval and not of a time of day. */
  get isInterval(): boolean {
    return this.#fields.hours.length === 24;
  }

  /** The first time that is named after `time`, or null if there is none within 28 years. */
  next(time: number): number | null {
    const after = Math.floor(time / SECOND_MS) + 1;
    const firstDay = Math.floor(after / DAY_SECONDS);
    const lastDay = firstDay + HORIZON_MS / DAY_MS;
    for (let day = this.#nextDay(firstDay, lastDay); day !== null; day = this.#nextDay(day + 1, lastDay)) {
      const second = this.#nextSecond(day === firstDay ? after - day * DAY_SECONDS : 0);
      if (second !== null) return (day * DAY_SECONDS + second) * SECOND_MS;
    }
    return null;
  }

  /** The first day that is named from `firstDay` to `lastDay`, both counted since 1970. */
  #nextDay(firstDay: number, lastDay: number): number | null {
    const { months, isDayMatch } = this.#fields;
    for (let day = firstDay; day <= lastDay; ) {
      const date = new Date(day * DAY_MS);
      const [year, month, dayOfMonth] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
      const daysInMonth = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
      if (!months.includes(month + 1)) day += daysInMonth - dayOfMonth + 1;
      else if (isDayMatch({ dayOfMonth, dayOfWeek: date.getUTCDay(), daysInMonth })) return day;
      else day++;
    }
    return null;
  }

  /** The first second of a day that is named, from `from` on. */
  #nextSecond(from: number): number | null {
    const { hours, minutes, seconds } = this.#fields;
    const [hour, minute, second] = [Math.floor(from / 3600), Math.floor(from / 60) % 60, from % 60];
    for (const h of hours) {
      if (h < hour) continue;
      for (const m of minutes) {
        if (h === hour && m < minute) continue;
        const isNow = h === hour && m === minute;
        const s = isNow ? seconds.find((named) => named >= second) : seconds[0];
        if (s !== undefined) return h * 3600 + m * 60 + s;
      }
    }
    return null;
  }
}
