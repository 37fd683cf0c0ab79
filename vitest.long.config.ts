import { defineConfig } from 'vitest/config';

/** Tests that take minutes: rounds of kill -9, full disks, traces of system calls. */
export default defineConfig({
  test: {
    include: ['test/long/**/*.test.ts'],
    globalSetup: './test/postgres/global-setup.ts',
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/reporter.ts'],
  },
});
