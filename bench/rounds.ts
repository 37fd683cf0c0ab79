import { Bench } from 'tinybench';
import { type Distribution, type Figure, figureOf, type Goal, type Round } from './figure.ts';
import { sampleFloor } from './floor.ts';
import type { MeasureContext } from './measure-list.ts';
import { median, percentiles, quantile } from './statistics.ts';

/** One round of a latency loop: durations of the calls, and of the floor's writes beside them, milliseconds. */
export interface LatencyRound {
  readonly durations: readonly number[];
  readonly floorDurations: readonly number[];
}

/** Calls `call` again and again, one after the other, with a write of the floor before each. */
export async function latencyRounds({ plan, storage }: MeasureContext, call: () => unknown): Promise<LatencyRound[]> {
  const rounds: LatencyRound[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const floorDurations: number[] = [];
    const bench = new Bench({ time: plan.roundMs, warmupTime: plan.floorMs, retainSamples: true, throws: true });
    bench.add('call', call, {
      beforeAll: () => {
        floorDurations.length = 0;
      },
      beforeEach: async () => {
        floorDurations.push(await storage.floor.timeWrite());
      },
    });
    await bench.run();
    rounds.push({ durations: samplesOf(bench, 'call'), floorDurations });
  }
  return rounds;
}

function samplesOf(bench: Bench, name: string): readonly number[] {
  const result = bench.getTask(name)?.result;
  const samples = result?.state === 'completed' ? result.latency.samples : undefined;
  if (samples === undefined) throw new Error(`the bench took no samples of ${name}`);
  return samples;
}

/** A figure for one share of the durations; that for 0.5 has their distribution. The ratio is to the same share of the floor's. */
export function latencyFigure(name: string, rounds: readonly LatencyRound[], share: number, goal: Goal | null): Figure {
  return figureOf({
    name: `${name} p${share * 100}`,
    unit: 'ms',
    goal,
    ...(share === 0.5 ? { distribution: distributionOf(rounds) } : {}),
    rounds: rounds.map(({ durations, floorDurations }) => {
      const value = quantile(durations, share);
      return { value, ratioToFloor: value / quantile(floorDurations, share) };
    }),
  });
}

function distributionOf(rounds: readonly LatencyRound[]): Distribution {
  return {
    percentiles: percentiles(rounds.flatMap(({ durations }) => durations)),
    floorPercentiles: percentiles(rounds.flatMap(({ floorDurations }) => floorDurations)),
  };
}

/** Runs `work` between two samples of the floor. Resolves with its result and the floor's p50, milliseconds. */
export async function besideFloor<Result>(
  { plan, storage }: MeasureContext,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly floorMs: number }> {
  const before = await sampleFloor(storage.floor, plan.floorMs);
  const result = await work();
  return { result, floorMs: median([...before, ...(await sampleFloor(storage.floor, plan.floorMs))]) };
}

/** Rounds of `work`, which says how many jobs it did: jobs a second, and the ratio to the floor's writes a second. */
export async function rateRounds(context: MeasureContext, work: () => Promise<number>): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < context.plan.rounds; round++) {
    const { result, floorMs } = await besideFloor(context, async () => {
      const startedAt = performance.now();
      const jobs = await work();
      return (jobs * 1000) / (performance.now() - startedAt);
    });
    rounds.push({ value: result, ratioToFloor: (result * floorMs) / 1000 });
  }
  return rounds;
}

/** Each round of `values` over the same round of `base`. */
export function ratioRounds(values: readonly Round[], base: readonly Round[]): Round[] {
  return values.map(({ value }, i) => ({ value: value / (base[i] as Round).value, ratioToFloor: null }));
}

/** Each of `callers` makes its next call when its last one is done. Resolves with the number of calls. */
export async function callAtOnce(call: () => Promise<unknown>, callers: number, durationMs: number): Promise<number> {
  const end = performance.now() + durationMs;
  let calls = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < end) {
        await call();
        calls++;
      }
    }),
  );
  return calls;
}
