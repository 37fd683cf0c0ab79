import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { PostgresServer } from '../postgres-server/postgres-server.ts';

/** No example takes longer; one that does hangs. */
const TIMEOUT_MS = 60_000;

/**
 * Runs every `examples/*.ts` as compiled, each in an empty directory of its own, with `DATABASE_URL` naming a PostgreSQL
 * server that is there for this run; exits with 1 if one of them fails. Files in folders below `examples/` are parts of
 * examples and not run by themselves.
 */
async function runExamples(): Promise<void> {
  await using server = await PostgresServer.start();
  const sources = readdirSync('examples').filter((name) => name.endsWith('.ts'));
  const failed = sources.filter((source) => !runExample(basename(source, '.ts'), server.url));
  console.log(`${sources.length - failed.length} of ${sources.length} examples ran`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function runExample(name: string, databaseUrl: string): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'reseolio-example-'));
  try {
    console.log(`--- ${name}`);
    const child = spawnSync(process.execPath, [resolve('.build/examples', `${name}.js`)], {
      cwd: directory,
      env: { ...process.env, DATABASE_URL: databaseUrl },
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    if (child.status !== 0) console.log(`${name} failed: ${child.error?.message ?? `exit code ${child.status}`}`);
    return child.status === 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await runExamples();
