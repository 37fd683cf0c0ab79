import { parseRecurrence } from '../../src/core/schedule.ts';
import type { BruteForce } from './brute-force.ts';
import { compare, occurrencesOf, type Span, type Successor, spansAround, within } from './compare.ts';
import { type CronerDifference, cronerSuccessor, explainCroner } from './croner.ts';
import { isSparse } from './expressions.ts';
import type { PlainCron } from './plain-cron.ts';
import { MINUTE_MS, type ZoneClock } from './zone-clock.ts';

/** What was found for an expression in a zone. */
export interface Finding {
  readonly cron: string;
  readonly timezone: string;
  /** Occurrences that the oracle and the library both have. */
  readonly agreed: number;
  /** When they differ, as text. */
  readonly differences: readonly string[];
  readonly cronerAgreed: number;
  readonly cronerDifferences: readonly Readonly<{ kind: CronerDifference; time: string }>[];
}

export type SuccessorOf = (cron: string, timezone: string) => Successor;

/** How much of what has one occurrence a day at most is compared with croner: it takes several times as long. */
export type CronerScope = 'all' | 'changes' | 'none';

/** Compares the library with the oracle and with croner, for all expressions in one zone. */
export function checkZone(
  oracle: BruteForce,
  clock: ZoneClock,
  cronerScope: CronerScope,
  successorOf: SuccessorOf = parseRecurrence,
): Finding[] {
  const all: Span[] = [[oracle.from, oracle.to]];
  const around = spansAround(clock, oracle.from, oracle.to);
  const walked = oracle.walk(clock);
  return oracle.crons.map((cron, i) => {
    const spans = isSparse(cron) ? all : around;
    const ours = occurrencesOf(successorOf(cron.text, clock.timezone), spans);
    const { agreed, onlyFirst, onlySecond } = compare(within(walked[i] as number[], spans), ours);
    return {
      cron: cron.text,
      timezone: clock.timezone,
      agreed,
      differences: [
        ...onlyFirst.map((time) => `${describeTime(time)} is missing`),
        ...onlySecond.map((time) => `${describeTime(time)} is none`),
      ],
      ...compareWithCroner(cron, clock, ours, cronerScope === 'all' ? spans : cronerScope === 'changes' ? around : []),
    };
  });
}

function compareWithCroner(
  cron: PlainCron,
  clock: ZoneClock,
  ours: readonly number[],
  spans: readonly Span[],
): Pick<Finding, 'cronerAgreed' | 'cronerDifferences'> {
  const theirs = occurrencesOf(cronerSuccessor(cron.text, clock.timezone), spans);
  const comparison = compare(within(ours, spans), theirs);
  const kinds = explainCroner(clock, cron, comparison);
  const times = [...comparison.onlyFirst, ...comparison.onlySecond];
  return {
    cronerAgreed: comparison.agreed,
    cronerDifferences: kinds.map((kind, i) => ({ kind, time: describeTime(times[i] as number) })),
  };
}

function describeTime(minute: number): string {
  return new Date(minute * MINUTE_MS).toISOString();
}

/** All that neither the oracle nor what is known of croner explains. */
export function describeFailures({ cron, timezone, differences, cronerDifferences }: Finding): string[] {
  const unexplained = cronerDifferences.filter(({ kind }) => kind === 'unexplained');
  return [
    ...differences.map((difference) => `${cron} in ${timezone}: ${difference}`),
    ...unexplained.map(({ time }) => `${cron} in ${timezone}: croner differs at ${time}`),
  ];
}
