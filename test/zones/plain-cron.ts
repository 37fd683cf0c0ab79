const DAY_MS = 86_400_000;

/** Five fields of stars, numbers, ranges, steps and lists, read without the library. */
export class PlainCron {
  readonly text: string;
  readonly #fields: readonly ReadonlySet<number>[];
  readonly #isEither: boolean;

  constructor(text: string) {
    this.text = text;
    const fields = text.split(' ');
    this.#fields = fields.map(readField);
    this.#isEither = fields[2] !== '*' && fields[4] !== '*';
  }

  /** It names every hour, and so speaks of an interval. */
  get isInterval(): boolean {
    return [...Array(24).keys()].every((hour) => this.#fields[1]?.has(hour));
  }

  /** The minutes of a day that are named. */
  get timesOfDay(): readonly number[] {
    const [minutes, hours] = this.#fields;
    return [...Array(24 * 60).keys()].filter((time) => minutes?.has(time % 60) && hours?.has(Math.floor(time / 60)));
  }

  /** Whether a day is named, counted since 1970. */
  namesDay(day: number): boolean {
    const date = new Date(day * DAY_MS);
    const [, , monthDays, months, weekDays] = this.#fields;
    if (months?.has(date.getUTCMonth() + 1) !== true) return false;
    const isMonthDay = monthDays?.has(date.getUTCDate()) === true;
    const isWeekDay = weekDays?.has(date.getUTCDay()) === true;
    return this.#isEither ? isMonthDay || isWeekDay : isMonthDay && isWeekDay;
  }
}

/** 0 to 59 holds what any field can say. */
function readField(field: string): ReadonlySet<number> {
  const named = new Set<number>();
  for (const item of field.split(',')) {
    const [range = '', step = '1'] = item.split('/');
    const [first, last] = range === '*' ? [0, 59] : range.split('-').map(Number);
    // A star counts from the first value of its field, which matters to steps alone: those of days are not used here.
    for (let value = first as number; value <= (last ?? (first as number)); value += Number(step)) named.add(value);
  }
  return named;
}
