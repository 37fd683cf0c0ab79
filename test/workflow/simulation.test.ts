import { expect, test } from 'vitest';
import { PLANTED_STORAGES } from './simulation/planted-storages.ts';
import { simulate } from './simulation/simulate.ts';

/** `WORKFLOW_FIRST_SEED` and `WORKFLOW_SEEDS` run others, and more. */
const FIRST_SEED = Number(process.env.WORKFLOW_FIRST_SEED ?? 1);
const SEEDS = Number(process.env.WORKFLOW_SEEDS ?? 300);
const MODES = ['rough', 'rough', 'rough', 'cancelled', 'calm'] as const;
const MAX_SECONDS = 60 + SEEDS;

test(
  'random workflows end as they should, whichever processes die, stop or are cut off',
  async () => {
    let processes = 0;
    let replays = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const run = await simulate({ seed, mode: MODES[seed % MODES.length] ?? 'rough' });
      expect(run.violations, `seed ${seed}`).toEqual([]);
      processes += run.processes;
      replays += run.handlerRuns;
    }
    // It would prove little if nobody died and nothing was replayed.
    expect(processes).toBeGreaterThan(1.5 * SEEDS);
    expect(replays).toBeGreaterThan(2 * SEEDS);
  },
  MAX_SECONDS * 1000,
);

test.each(Object.entries(PLANTED_STORAGES))('a storage that %s is noticed', async (_title, wrap) => {
  const noticed: string[] = [];
  for (let seed = 1; seed <= 300 && noticed.length === 0; seed++) {
    const { violations } = await simulate({ seed, mode: 'rough', wrap });
    noticed.push(...violations);
  }
  expect(noticed.length).toBeGreaterThan(0);
});
