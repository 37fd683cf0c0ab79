/** A schedule whose occurrences are the multiples of `everyMs`, which can be told without reading its expression. */
export interface TimedSchedule {
  readonly name: string;
  readonly cron: string;
  readonly everyMs: number;
}

export function everySecond(name: string): TimedSchedule {
  return { name, cron: '* * * * * *', everyMs: 1000 };
}

/** `seconds` divides a minute. */
export function everySeconds(name: string, seconds: number): TimedSchedule {
  return { name, cron: `*/${seconds} * * * * *`, everyMs: seconds * 1000 };
}
