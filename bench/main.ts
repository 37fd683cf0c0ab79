import { mkdtempSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, BenchOptionsError, helpText, parseBenchOptions } from './bench-options.ts';
import { type BenchReport, describeMachine } from './bench-report.ts';
import { BenchRun } from './bench-run.ts';
import { formatTable } from './figure-table.ts';
import { MEASURES } from './measure-list.ts';
import { STORAGE_KINDS } from './storage-under-test.ts';

const COMPILED = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = join(COMPILED, '../bench/results');

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
    const results = options.results ?? (isWhole(options) ? RESULTS : null);
    if (results !== null) await keep(report, results);
    if (options.isJson) console.log(JSON.stringify(report));
    return report.failed.length === 0 ? 0 : 1;
  } finally {
    await cleanUp();
  }
}

/** Only what is whole takes the place of the figures that the documents show. */
function isWhole({ isQuick, only, storages }: BenchOptions): boolean {
  return !isQuick && only.length === MEASURES.length && storages.length === STORAGE_KINDS.length;
}

async function keep(report: BenchReport, results: string): Promise<void> {
  const { keepResults } = await import('./results.ts');
  for (const path of await keepResults(report, results)) console.log(`wrote ${relative('.', path)}`);
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
