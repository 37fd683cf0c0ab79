import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BruteForce } from './brute-force.ts';
import { checkZone, describeFailures } from './check-zone.ts';
import { EXPRESSIONS } from './expressions.ts';
import { MINUTE_MS, readZoneClock } from './zone-clock.ts';
import { allZones, FROM, TO } from './zone-list.ts';

/** A gap of half an hour, one of two hours, gaps at midnight, and changes that follow the moon. */
const ODD_ZONES = ['Australia/Lord_Howe', 'Antarctica/Troll', 'Africa/Cairo', 'Africa/Casablanca'];

const SEED = Number(process.env.ZONES_SEED ?? Date.now() % 1_000_000);

/** A year of the ten and two zones of all. `npm run check:zones` takes the whole. */
const [SAMPLE = { year: 2020, zones: [] }] = fc.sample(
  fc.record({
    year: fc.integer({ min: yearOf(FROM), max: yearOf(TO) - 1 }),
    zones: fc.uniqueArray(fc.constantFrom(...allZones()), { minLength: 2, maxLength: 2 }),
  }),
  { seed: SEED, numRuns: 1 },
);

function yearOf(minute: number): number {
  return new Date(minute * MINUTE_MS).getUTCFullYear();
}

describe(`occurrences in ${SAMPLE.year} (ZONES_SEED=${SEED})`, () => {
  const [from, to] = [SAMPLE.year, SAMPLE.year + 1].map((year) => Date.UTC(year, 0, 1) / MINUTE_MS);
  const oracle = new BruteForce(EXPRESSIONS, from as number, to as number);

  it.each([...ODD_ZONES, ...SAMPLE.zones])('in %s are those of the oracle, and explain those of croner', (timezone) => {
    const findings = checkZone(oracle, readZoneClock(timezone, ...oracle.clockRange), 'changes');
    expect(findings.flatMap(describeFailures)).toEqual([]);
    for (const { agreed, cronerAgreed } of findings) expect(agreed).toBeGreaterThanOrEqual(cronerAgreed);
    expect(findings.reduce((total, { agreed }) => total + agreed, 0)).toBeGreaterThan(365 * 8);
  });
});
