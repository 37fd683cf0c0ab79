import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { parseBenchOptions } from '../../bench/bench-options.ts';
import type { BenchReport } from '../../bench/bench-report.ts';
import { openBenchStorage } from '../../bench/claim-batch.ts';
import { atLeast, atMost, atMostTimesFloor, figureOf } from '../../bench/figure.ts';
import { MEASURES } from '../../bench/measure-list.ts';
import { makeSchedules, rulesDueAt } from '../../bench/new-schedules.ts';
import { readServerCpuMicros } from '../../bench/server-cpu.ts';
import { quantile } from '../../bench/statistics.ts';
import { PostgresServer } from '../../postgres-server/postgres-server.ts';
import { query } from '../../postgres-server/query.ts';
import { firstOccurrence } from '../../src/core/schedule.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';

const MAIN = fileURLToPath(new URL('../../.build/bench/main.js', import.meta.url));

function runBench(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('a quick run prints a table and ends with one JSON object', { timeout: 120_000 }, async () => {
  const postgresUrl = inject('postgresUrl');
  const results = join(temporaryDirectory(), 'results');
  const { status, stdout, stderr } = runBench(
    ...['--quick', '--only', 'floor,lone-enqueue', '--json', '--postgres-url', postgresUrl, '--results', results],
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.some((line) => line.startsWith('lmdb: lone enqueue p50 '))).toBe(true);
  expect(lines.some((line) => line.startsWith('postgres: lone enqueue p50 '))).toBe(true);
  const report = JSON.parse(lines.at(-1) as string) as BenchReport;
  expect(report).toMatchObject({ isQuick: true, failed: [] });
  expect(Object.keys(report.machine)).toEqual(['node', 'platform', 'cpus', 'cpu', 'load']);
  const kept = `${report.startedAt.slice(0, 10)}.json`;
  expect(readdirSync(results)).toEqual([kept, 'latency.svg']);
  expect(JSON.parse(readFileSync(join(results, kept), 'utf8'))).toEqual(report);
  expect(report.postgres).toContain('postgres ');
  expect(report.figures.map(({ storage, measure, name }) => `${storage}, ${measure}, ${name}`)).toEqual([
    'lmdb, floor, lmdb: write + fdatasync p50',
    'lmdb, floor, lmdb: write + fdatasync p95',
    'lmdb, lone-enqueue, lmdb: lone enqueue p50',
    'lmdb, lone-enqueue, lmdb: lone enqueue p95',
    'lmdb, lone-enqueue, lmdb: lone enqueue p99',
    'postgres, floor, postgres: INSERT commit p50',
    'postgres, floor, postgres: INSERT commit p95',
    'postgres, floor, postgres: prepared INSERT commit p50',
    'postgres, lone-enqueue, postgres: lone enqueue p50',
    'postgres, lone-enqueue, postgres: lone enqueue p95',
    'postgres, lone-enqueue, postgres: lone enqueue p99',
  ]);
  for (const { value, unit, ratioToFloor, rounds } of report.figures) {
    expect(value).toBeGreaterThan(0);
    expect(ratioToFloor).toBeGreaterThan(0);
    expect(unit).toBe('ms');
    expect(rounds).toHaveLength(3);
  }
  expect(report.figures[2]).toMatchObject({ goal: { of: 'ratio', bound: 'at most', limit: 2.5 } });
  expect(typeof report.figures[2]?.isMet).toBe('boolean');
  expect(report.figures[3]).toMatchObject({ goal: null, isMet: null });
  expect(report.figures[8]).toMatchObject({ goal: { of: 'ratio', bound: 'at most', limit: 1.5 } });
  // Nothing is left in a server that goes on.
  expect(await query(postgresUrl, "select from pg_namespace where starts_with(nspname, 'bench_')")).toEqual([]);
});

test.each([
  ['an unknown option', ['--bogus'], '--bogus'],
  ['an unknown measure', ['--only', 'floor,nothing'], '"nothing"'],
  ['an unknown storage', ['--storage', 'lmdb,paper'], '"paper"'],
  ['a measure that the storage does not have', ['--storage', 'lmdb', '--only', 'history-claim'], 'measure of lmdb'],
  ['an argument', ['floor'], 'floor'],
  ['an option without its value', ['--only'], '--only'],
])('%s is refused with exit code 2', (_title, args, told) => {
  const { status, stdout, stderr } = runBench(...args);
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(told);
  expect(stderr).toContain('--quick');
});

test('a directory that is not there is refused with exit code 2', () => {
  const { status, stdout, stderr } = runBench('--directory', 'no/such/directory', '--only', 'floor');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('no/such/directory');
});

test('the help names every measure, and so does the README', () => {
  const { status, stdout } = runBench('--help');
  expect(status).toBe(0);
  const readme = readFileSync(new URL('../../bench/README.md', import.meta.url), 'utf8');
  for (const { name, summary } of MEASURES) {
    expect(stdout).toContain(`${name} `);
    expect(stdout).toContain(summary);
    expect(readme).toContain(`\`${name}\``);
  }
});

test('measures are taken in the order of the list, whatever order they are asked for in', () => {
  expect(parseBenchOptions(['--only', 'drain, floor']).only).toEqual(['floor', 'drain']);
  expect(parseBenchOptions([]).only).toEqual(MEASURES.map(({ name }) => name));
});

test('both storages are measured unless one is asked for', () => {
  expect(parseBenchOptions([])).toMatchObject({ storages: ['lmdb', 'postgres'], postgresUrl: null });
  expect(parseBenchOptions(['--storage', 'postgres,lmdb']).storages).toEqual(['lmdb', 'postgres']);
  expect(parseBenchOptions(['--storage', 'postgres', '--postgres-url', 'postgres://x']).only).not.toContain(
    'bare-lmdb',
  );
});

test('a server that cannot be reached fails its measures, and the exit code says so', { timeout: 60_000 }, () => {
  const { status, stdout, stderr } = runBench(
    ...['--quick', '--only', 'floor', '--json', '--postgres-url', 'postgres://postgres@127.0.0.1:1/postgres'],
  );
  expect(status).toBe(1);
  expect(stderr).toContain('postgres: floor failed');
  const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as BenchReport;
  expect(report).toMatchObject({ failed: ['postgres: floor'], postgres: null });
  expect(report.figures.every(({ storage }) => storage === 'lmdb')).toBe(true);
});

test('the CPU time of a server is that of all its processes, those too that have ended', async () => {
  await using server = await PostgresServer.start();
  const work = 'select sum(sqrt(i)) from generate_series(1, 3000000) i';
  const before = readServerCpuMicros(server.pid);
  // The connection's process ends with the call.
  await query(server.url, work);
  if (before === null) expect(process.platform).not.toBe('linux');
  else await expect.poll(() => (readServerCpuMicros(server.pid) ?? 0) - before).toBeGreaterThan(50_000);
  expect(readServerCpuMicros(null)).toBeNull();
});

test('a burst is fired, and what it took is told', { timeout: 60_000 }, () => {
  const { status, stdout, stderr } = runBench('--quick', '--storage', 'lmdb', '--only', 'schedule-burst', '--json');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { figures, failed } = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as BenchReport;
  expect(failed).toEqual([]);
  expect(figures).toMatchObject([
    { name: 'lmdb: 1,000 schedules due at once, all stored', unit: 'ms', goal: { bound: 'at most', limit: 2000 } },
    { name: 'lmdb: burst, CPU time a schedule', unit: 'µs', goal: null },
  ]);
  for (const { value, rounds } of figures) {
    expect(value).toBeGreaterThan(0);
    expect(rounds).toHaveLength(1);
  }
});

test.each(['2025-01-01T00:00:00Z', '2026-07-31T22:59:59Z', '2024-02-29T12:34:56Z'])(
  'the rules of a burst all have an occurrence at %s',
  (instant) => {
    const at = Date.parse(instant);
    const rules = rulesDueAt(at);
    expect(new Set(rules.map(({ cron, timezone }) => `${cron} ${timezone}`)).size).toBe(15);
    for (const { cron, timezone } of rules) expect(firstOccurrence(cron, timezone, at - 1)).toBe(at);
  },
);

test('the schedules of a burst have names of their own and are due at one instant', async () => {
  const url = `lmdb://${encodeURIComponent(temporaryDirectory())}`;
  const nextRunAt = Date.parse('2100-01-01T00:00:00Z');
  await makeSchedules(url, { count: 1100, nextRunAt });
  const storage = await openBenchStorage(url);
  const { schedules, total } = await storage.listSchedules({ states: ['active'], limit: 1100, offset: 0 });
  await storage.close();
  expect(total).toBe(1100);
  expect(new Set(schedules.map(({ name }) => name)).size).toBe(1100);
  expect(schedules.every((schedule) => schedule.nextRunAt === nextRunAt)).toBe(true);
});

test('a figure is the median of its rounds, and its goal is for the value or for the ratio', () => {
  const rounds = [3, 1, 2].map((value) => ({ value, ratioToFloor: value * 10 }));
  const figure = (goal: ReturnType<typeof atMost>) => figureOf({ name: 'x', unit: 'ms', rounds, goal });
  expect(figure(atMost(2))).toMatchObject({ value: 2, ratioToFloor: 20, rounds: [3, 1, 2], isMet: true });
  expect(figure(atMost(1.9)).isMet).toBe(false);
  expect(figure(atLeast(2)).isMet).toBe(true);
  expect(figure(atLeast(2.1)).isMet).toBe(false);
  expect(figure(atMostTimesFloor(20)).isMet).toBe(true);
  expect(figure(atMostTimesFloor(19)).isMet).toBe(false);
});

test('quantiles lie between the nearest values', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([10, 20], 0.95)).toBeCloseTo(19.5);
  expect(quantile([7], 0.99)).toBe(7);
  expect(() => quantile([], 0.5)).toThrow('no values');
});
