import { expect, test } from 'vitest';
import { figureOf } from '../../bench/figure.ts';
import { drawPlots } from '../../bench/plots.ts';
import { percentiles } from '../../bench/statistics.ts';
import type { StorageKind } from '../../bench/storage-under-test.ts';

const DURATIONS = Array.from({ length: 1001 }, (_, i) => 1 + i / 1000);

function latencyOf(storage: StorageKind, measure: string) {
  const distribution = { percentiles: percentiles(DURATIONS), floorPercentiles: percentiles([0.5]) };
  const rounds = [{ value: 1.5, ratioToFloor: 3 }];
  return { storage, measure, ...figureOf({ name: measure, unit: 'ms', rounds, goal: null, distribution }) };
}

function seriesOf(storage: StorageKind, measure: string, loads: readonly number[]) {
  return loads.map((load) => {
    const rounds = [{ value: 10 * load, ratioToFloor: null }];
    return { storage, measure, ...figureOf({ name: `${load}`, unit: '/s', rounds, goal: null, load }) };
  });
}

/** What a picture says in words, and how many lines it has. */
function readSvg(svg: string) {
  return {
    texts: [...svg.matchAll(/<text[^>]*>([^<]+)<\/text>/g)].map(([, text]) => text),
    lines: [...svg.matchAll(/<path aria-label="[^"]*" role="graphics-symbol" aria-roledescription="line mark"/g)]
      .length,
  };
}

test('percentiles are taken at 1 to 99, and at 99.9', () => {
  const taken = percentiles(DURATIONS);
  expect(taken).toHaveLength(100);
  expect([taken[0], taken[49], taken[98], taken[99]].map((value) => value?.toFixed(4))).toEqual([
    '1.0100',
    '1.5000',
    '1.9900',
    '1.9990',
  ]);
});

test('distributions are drawn beside the floor, one line each', async () => {
  const figures = [
    latencyOf('lmdb', 'lone-enqueue'),
    latencyOf('lmdb', 'round-trip'),
    latencyOf('postgres', 'round-trip'),
  ];
  const plots = await drawPlots({ figures });
  expect(plots.map(({ name }) => name)).toEqual(['latency.svg']);
  const { texts, lines } = readSvg(plots[0]?.content as string);
  expect(texts).toEqual(
    expect.arrayContaining(['lmdb', 'postgres', 'floor', 'lone-enqueue', 'round-trip', 'percentile']),
  );
  expect(lines).toBe(5);
});

test('rates and claims are drawn by what they were measured with', async () => {
  const figures = [
    ...seriesOf('lmdb', 'callers', [1, 10, 100]),
    ...seriesOf('postgres', 'callers', [1, 10, 100]),
    ...seriesOf('lmdb', 'backlog-claim', [1000, 1_000_000]),
  ];
  const plots = await drawPlots({ figures });
  expect(plots.map(({ name }) => name)).toEqual(['throughput.svg', 'backlog.svg']);
  const [throughput, backlog] = plots.map(({ content }) => readSvg(content));
  expect(throughput?.texts).toEqual(
    expect.arrayContaining(['callers at once', 'durable enqueues a second', 'lmdb', 'postgres']),
  );
  expect(throughput?.lines).toBe(2);
  expect(backlog?.texts).toEqual(expect.arrayContaining(['jobs that wait', '1,000,000']));
  expect(backlog?.lines).toBe(1);
});

test('nothing is drawn of a report that has nothing to draw', async () => {
  expect(await drawPlots({ figures: [] })).toEqual([]);
});
