import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, BenchOptionsError, helpText, parseBenchOptions } from './bench-options.ts';
import { type BenchReport, describeMachine } from './bench-report.ts';
import { BenchRun } from './bench-run.ts';
import { formatTable } from './figure-table.ts';

const COMPILED = fileURLToPath(new URL('..', import.meta.url));

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) return 2;
  if (options.isHelp) {
    console.log(helpText());
    return 0;
  }
  const directory = makeDirectory(options.directory ?? COMPILED);
  if (directory === null) return 2;
  const run = new BenchRun(options, directory);
  const cleanUp = async (): Promise<void> => {
    await run.close();
    rmSync(directory, { recursive: true, force: true });
  };
  const stop = (): void => void cleanUp().finally(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const report = await run.run();
    print(report);
    if (options.isJson) console.log(JSON.stringify(report));
    return report.failed.length === 0 ? 0 : 1;
  } finally {
    await cleanUp();
  }
}

function makeDirectory(parent: string): string | null {
  try {
    return mkdtempSync(join(parent, 'bench-'));
  } catch (error) {
    console.error(`cannot measure in ${parent}: ${(error as Error).message}`);
    return null;
  }
}

function readOptions(): BenchOptions | null {
  try {
    return parseBenchOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof BenchOptionsError)) throw error;
    console.error(`${error.message}\n\n${helpText()}`);
    return null;
  }
}

function print({ figures, seconds }: BenchReport): void {
  console.log(`\n${formatTable(figures)}\n\n${seconds.toFixed(0)} s, load ${describeMachine().load}`);
}

process.exitCode = await main();
