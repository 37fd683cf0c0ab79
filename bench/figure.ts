import { median } from './statistics.ts';

/** What a figure ought to reach: its value, or its ratio to the floor. */
export interface Goal {
  readonly of: 'value' | 'ratio';
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
}

/** One line of the table, and one object of `figures` in the JSON. */
export interface Figure {
  readonly name: string;
  /** Median of `rounds`. */
  readonly value: number;
  readonly unit: string;
  /** A duration over that of a floor write, or a rate over that of floor writes; median of the rounds' ratios. */
  readonly ratioToFloor: number | null;
  readonly goal: Goal | null;
  readonly isMet: boolean | null;
  readonly rounds: readonly number[];
  /** Callers at once, or jobs that wait, where the figure is one of a series of those. */
  readonly load: number | null;
  readonly distribution: Distribution | null;
}

/** Durations of all rounds together, milliseconds: p1 to p99, and p99.9. */
export interface Distribution {
  readonly percentiles: readonly number[];
  readonly floorPercentiles: readonly number[];
}

/** What one round found; the floor was measured in the same round. */
export interface Round {
  readonly value: number;
  readonly ratioToFloor: number | null;
}

export interface FigureParams {
  readonly name: string;
  readonly unit: string;
  readonly rounds: readonly Round[];
  readonly goal: Goal | null;
  readonly load?: number;
  readonly distribution?: Distribution;
}

export function figureOf({ name, unit, rounds, goal, load, distribution }: FigureParams): Figure {
  const value = median(rounds.map((round) => round.value));
  const ratios = rounds.flatMap(({ ratioToFloor }) => (ratioToFloor === null ? [] : [ratioToFloor]));
  const ratioToFloor = ratios.length === 0 ? null : median(ratios);
  return {
    name,
    value,
    unit,
    ratioToFloor,
    goal,
    isMet: goal === null ? null : meets(goal, goal.of === 'value' ? value : ratioToFloor),
    rounds: rounds.map((round) => round.value),
    load: load ?? null,
    distribution: distribution ?? null,
  };
}

export function atMost(limit: number): Goal {
  return { of: 'value', bound: 'at most', limit };
}

export function atLeast(limit: number): Goal {
  return { of: 'value', bound: 'at least', limit };
}

export function atMostTimesFloor(limit: number): Goal {
  return { of: 'ratio', bound: 'at most', limit };
}

function meets({ bound, limit }: Goal, reached: number | null): boolean {
  if (reached === null) return false;
  return bound === 'at most' ? reached <= limit : reached >= limit;
}
