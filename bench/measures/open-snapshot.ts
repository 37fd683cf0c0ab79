import { Client } from 'pg';
import { openBenchStorage } from '../claim-batch.ts';
import { atMost, type Figure, figureOf } from '../figure.ts';
import type { MeasureContext } from '../measure-list.ts';
import { runSteadyLoad, type SteadyLoadResult } from '../steady-load.ts';
import type { PostgresTarget } from '../storage-under-test.ts';

/** The same load twice, each on a storage of its own: without and with a transaction that needs none of its rows. */
export async function measureOpenSnapshot(context: MeasureContext<PostgresTarget>): Promise<Figure[]> {
  const without = await loadStorage(context, 'without');
  const client = new Client(context.storage.serverUrl);
  await client.connect();
  await client.query('begin isolation level repeatable read');
  await client.query('select 1');
  const beside = await loadStorage(context, 'beside');
  await client.query('commit');
  await client.end();
  const seconds = context.plan.snapshotMs / 1000;
  return [
    claimFigure('claim of 10 at 1000 jobs/s, p50', without),
    claimFigure(`claim of 10, snapshot open for ${seconds} s, p50`, beside),
    figureOf({
      name: 'claim, snapshot open over none open',
      unit: 'x',
      rounds: beside.claimMs.map((value, i) => ({ value: value / (without.claimMs[i] as number), ratioToFloor: null })),
      goal: atMost(2),
    }),
    figureOf({
      name: 'jobs meanwhile, of 1000 a second',
      unit: 'jobs/s',
      rounds: [without, beside].map(({ jobsPerSecond }) => ({ value: jobsPerSecond, ratioToFloor: null })),
      goal: null,
    }),
  ];
}

async function loadStorage(context: MeasureContext<PostgresTarget>, name: string): Promise<SteadyLoadResult> {
  const { plan, storage } = context;
  const opened = await openBenchStorage(storage.urlOf(name));
  const result = await runSteadyLoad(opened, plan.snapshotMs, plan.snapshotSampledMs);
  await opened.close();
  return result;
}

function claimFigure(name: string, { claimMs }: SteadyLoadResult): Figure {
  return figureOf({
    name,
    unit: 'ms',
    goal: null,
    rounds: claimMs.map((value) => ({ value, ratioToFloor: null })),
  });
}
