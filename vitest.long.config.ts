import { defineConfig } from 'vitest/config';

/** Rounds of `kill -9`, which ask what is there in the end and not how soon: they may share the processors. */
const KILLS = [
  'test/long/crash/kill-rounds.test.ts',
  'test/long/postgres/kill-nodes.test.ts',
  'test/long/server/kill-server.test.ts',
  'test/long/workflow/kill-workflow.test.ts',
];

/** Tests that take minutes: rounds of kill -9, full disks, traces of system calls. */
export default defineConfig({
  test: {
    globalSetup: './test/postgres/global-setup.ts',
    pool: 'forks',
    testTimeout: 600_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/reporter.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'kills', include: KILLS, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'others',
          include: ['test/long/**/*.test.ts'],
          exclude: KILLS,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
