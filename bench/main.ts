import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, BenchOptionsError, helpText, parseBenchOptions } from './bench-options.ts';
import { type BenchReport, describeMachine, type ReportedFigure } from './bench-report.ts';
import { Child } from './child.ts';
import type { Figure } from './figure.ts';
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
  const stop = (): void => {
    rmSync(directory, { recursive: true, force: true });
    process.exit(130);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await runAll(options, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
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

async function runAll(options: BenchOptions, directory: string): Promise<number> {
  const startedAt = performance.now();
  const machine = describeMachine();
  console.log(`node ${machine.node}, ${machine.platform}, ${machine.cpus} x ${machine.cpu}, load ${machine.load}`);
  const figures: ReportedFigure[] = [];
  const failed: string[] = [];
  for (const name of options.only) {
    console.log(`measuring ${name}`);
    try {
      figures.push(
        ...(await runMeasure(name, directory, options.isQuick)).map((figure) => ({ measure: name, ...figure })),
      );
    } catch (error) {
      console.error(`${name} failed: ${(error as Error).message}`);
      failed.push(name);
    }
    rmSync(join(directory, name), { recursive: true, force: true });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const report: BenchReport = { machine, isQuick: options.isQuick, seconds, figures, failed };
  console.log(`\n${formatTable(figures)}\n\n${seconds.toFixed(0)} s, load ${describeMachine().load}`);
  if (options.isJson) console.log(JSON.stringify(report));
  return failed.length === 0 ? 0 : 1;
}

async function runMeasure(name: string, directory: string, isQuick: boolean): Promise<Figure[]> {
  const child = new Child({ program: 'measure-process', args: [name, directory, isQuick ? 'quick' : 'full'] });
  const figures = await child.next<Figure[]>();
  await child.ended();
  return figures;
}

process.exitCode = await main();
