import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { PostgresServer } from '../../postgres-server/postgres-server.ts';
import { Child } from '../child.ts';
import { atLeast, atMost, type Figure, figureOf, type Goal } from '../figure.ts';
import { formatTable } from '../figure-table.ts';
import { readPrivateMebibytes } from '../private-memory.ts';
import { median, quantile } from '../statistics.ts';
import type { SdkAnswer } from './sdk-process.ts';
import { ServerUnderTest } from './server-under-test.ts';

/**
 * The original SDK against `reseolio serve` and against the server that it ships, in turn, each with an embedded file and on
 * one Postgres server: `npm run bench:servers -- [--quick] [--json]`.
 */
const { values: flags } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'boolean' } } });
const PLAN = flags.quick ? { rounds: 1, jobs: 300, roundTrips: 30 } : { rounds: 5, jobs: 5000, roundTrips: 300 };
/** By then V8 has given back what starting took. */
const SETTLING_MS = flags.quick ? 1000 : 20_000;

interface Contestant {
  readonly name: string;
  readonly start: (round: number) => Promise<ServerUnderTest>;
  readonly answers: SdkAnswer[];
}

const directory = mkdtempSync(join(tmpdir(), 'reseolio-bench-servers-'));
const postgres = await PostgresServer.start({ binaries: 'npm' });
try {
  const figures = await measureAll();
  console.log(`\n${formatTable(figures)}`);
  if (flags.json) console.log(JSON.stringify(figures));
} finally {
  await postgres.stop('immediate');
  rmSync(directory, { recursive: true, force: true });
}

async function measureAll(): Promise<Figure[]> {
  const contestants: Contestant[] = [
    contestant('ours, lmdb', (round) => ServerUnderTest.startOurs(`lmdb://${join(directory, `lmdb-${round}`)}`)),
    contestant('ours, lmdb relaxed', (round) =>
      ServerUnderTest.startOurs(`lmdb://${join(directory, `relaxed-${round}`)}`, ['--durability', 'relaxed']),
    ),
    contestant('original, sqlite', (round) => ServerUnderTest.startOriginal(join(directory, `original-${round}.db`))),
    contestant('ours, postgres', (round) => ServerUnderTest.startOurs(`${postgres.url}?schema=bench_${round}`)),
    contestant('original, postgres', () => ServerUnderTest.startOriginal(postgres.url)),
  ];
  for (let round = 0; round < PLAN.rounds; round++) {
    for (const each of contestants) each.answers.push(await measureRound(await each.start(round)));
  }
  const [lmdb, relaxed, sqlite, ours, theirs] = contestants as [
    Contestant,
    Contestant,
    Contestant,
    Contestant,
    Contestant,
  ];
  return [
    ...contestants.flatMap(figuresOf),
    ...ratiosOf('lmdb over original sqlite', lmdb, sqlite, true),
    ...ratiosOf('lmdb relaxed over original sqlite', relaxed, sqlite, false),
    ...ratiosOf('postgres over original postgres', ours, theirs, false),
    await measureMemory(),
  ];
}

function contestant(name: string, start: Contestant['start']): Contestant {
  return { name, start, answers: [] };
}

async function measureRound(server: ServerUnderTest): Promise<SdkAnswer> {
  try {
    const args = [server.address, String(PLAN.jobs), String(PLAN.roundTrips)];
    const client = new Child({ program: 'servers/sdk-process', args });
    return await client.next<SdkAnswer>();
  } finally {
    await server.stop();
  }
}

function figuresOf({ name, answers }: Contestant): Figure[] {
  const figure = (what: string, unit: string, read: (answer: SdkAnswer) => number): Figure =>
    toFigure(`${name}: ${what}`, unit, answers.map(read), null);
  return [
    figure('jobs, 100 callers', 'jobs/s', ({ throughput }) => throughput),
    figure('round trip p50', 'ms', ({ roundTrips }) => median(roundTrips)),
    figure('round trip p95', 'ms', ({ roundTrips }) => quantile(roundTrips, 0.95)),
  ];
}

/** Round by round, since the machine may be another in the next. */
function ratiosOf(name: string, ours: Contestant, theirs: Contestant, hasGoals: boolean): Figure[] {
  const ratios = (read: (answer: SdkAnswer) => number): number[] =>
    ours.answers.map((answer, i) => read(answer) / read(theirs.answers[i] as SdkAnswer));
  const throughput = ratios((answer) => answer.throughput);
  const roundTrip = ratios(({ roundTrips }) => median(roundTrips));
  return [
    toFigure(`${name}: jobs`, 'x', throughput, hasGoals ? atLeast(2) : null),
    toFigure(`${name}: round trip p50`, 'x', roundTrip, hasGoals ? atMost(1) : null),
  ];
}

async function measureMemory(): Promise<Figure> {
  const differences: number[] = [];
  for (let round = 0; round < PLAN.rounds; round++) {
    const server = await ServerUnderTest.startOurs(`lmdb://${join(directory, 'idle')}`);
    await setTimeout(SETTLING_MS);
    const serving = readPrivateMebibytes(server.pid);
    await server.stop();
    differences.push(serving - (await measureBare()));
  }
  return toFigure('ours, lmdb: private memory, idle, over bare Node', 'MiB', differences, atMost(25));
}

async function measureBare(): Promise<number> {
  const bare = new Child({ program: 'processes/memory-process', args: [] });
  const { privateMebibytes } = await bare.next<{ privateMebibytes: number }>();
  await bare.ended();
  return privateMebibytes;
}

function toFigure(name: string, unit: string, values: readonly number[], goal: Goal | null): Figure {
  return figureOf({ name, unit, goal, rounds: values.map((value) => ({ value, ratioToFloor: null })) });
}
