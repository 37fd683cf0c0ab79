import { query } from '../../postgres-server/query.ts';
import { Child } from '../child.ts';
import { type Figure, figureOf, type Goal } from '../figure.ts';
import { GOALS } from '../goals.ts';
import type { MeasureContext } from '../measure-list.ts';
import { makeSchedules } from '../new-schedules.ts';
import type { IdleAnswer } from '../processes/wake-up-process.ts';

const SECOND_MS = 1000;
/** Long after the measure has ended. */
const FIRST_RUN_MS = 86_400_000;

interface IdleRound {
  readonly without: IdleAnswer;
  readonly beside: IdleAnswer;
}

/** Workers that wait for nothing, in turn on a storage without schedules and on one with very many, none of them due. */
export async function measureScheduleIdle(context: MeasureContext): Promise<Figure[]> {
  const { plan, storage } = context;
  const nextRunAt = Math.ceil((Date.now() + FIRST_RUN_MS) / SECOND_MS) * SECOND_MS;
  await makeSchedules(storage.urlOf('none'), { count: 0, nextRunAt });
  await makeSchedules(storage.urlOf('many'), { count: plan.idleSchedules, nextRunAt });
  // As the server would do by itself before long, but not while it is measured.
  if (storage.kind === 'postgres')
    await query(storage.serverUrl, `vacuum (analyze) "${storage.schemaOf('many')}".schedules`);
  const rounds: IdleRound[] = [];
  for (let round = 0; round < plan.longRounds; round++) {
    const without = await waitIdle(context, storage.urlOf('none'));
    const beside = await waitIdle(context, storage.urlOf('many'));
    rounds.push({ without, beside });
  }
  return idleFigures(context, rounds);
}

function idleFigures({ plan, storage }: MeasureContext, rounds: readonly IdleRound[]): Figure[] {
  const many = `${plan.idleSchedules.toLocaleString('en')} schedules`;
  const goal = GOALS[storage.kind].scheduleIdle;
  const figures = [
    idleFigure('idle client, no schedules, CPU time a second', rounds, ({ without }) => clientShare(without), null),
    idleFigure(`idle client, ${many}, CPU time a second`, rounds, ({ beside }) => clientShare(beside), null),
    idleFigure(
      'idle schedules, CPU time a second',
      rounds,
      ({ without, beside }) => clientShare(beside) - clientShare(without),
      goal,
    ),
  ];
  if (storage.kind === 'postgres' && storage.serverPid !== null) {
    figures.push(
      idleFigure("no schedules, server's CPU time a second", rounds, ({ without }) => serverShare(without), null),
      idleFigure(`${many}, server's CPU time a second`, rounds, ({ beside }) => serverShare(beside), null),
    );
  }
  return figures;
}

/** Milliseconds of CPU time a second are thousandths. */
function clientShare({ cpuMicros, durationMs }: IdleAnswer): number {
  return cpuMicros / durationMs;
}

function serverShare({ serverCpuMicros, durationMs }: IdleAnswer): number {
  return (serverCpuMicros ?? 0) / durationMs;
}

function idleFigure(
  name: string,
  rounds: readonly IdleRound[],
  read: (round: IdleRound) => number,
  goal: Goal | null,
): Figure {
  return figureOf({
    name,
    unit: 'ms',
    goal,
    rounds: rounds.map((round) => ({ value: read(round), ratioToFloor: null })),
  });
}

async function waitIdle({ plan, storage }: MeasureContext, url: string): Promise<IdleAnswer> {
  const serverPid = storage.kind === 'postgres' ? storage.serverPid : null;
  const args = [url, String(plan.scheduleIdleMs), String(serverPid ?? '')];
  const client = new Child({ program: 'processes/wake-up-process', args });
  await client.next();
  client.send('idle');
  const answer = await client.next<IdleAnswer>();
  client.send('stop');
  await client.ended();
  return answer;
}
