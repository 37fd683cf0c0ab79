import { parseArgs } from 'node:util';
import { MEASURES } from './measure-list.ts';

export interface BenchOptions {
  readonly isHelp: boolean;
  readonly isJson: boolean;
  readonly isQuick: boolean;
  /** Names of the measures to take, in the order of the list. */
  readonly only: readonly string[];
  /** Where the measured files go; null: beside the compiled code. */
  readonly directory: string | null;
}

/** What is wrong with the command line, as said to the user. */
export class BenchOptionsError extends Error {}

/** Throws a {@link BenchOptionsError} for an unknown option, measure or argument. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parse(args);
  return {
    isHelp: values.help,
    isJson: values.json,
    isQuick: values.quick,
    only: selectMeasures(values.only),
    directory: values.directory ?? null,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        directory: { type: 'string' },
      },
    });
  } catch (error) {
    throw new BenchOptionsError((error as Error).message, { cause: error });
  }
}

function selectMeasures(only: string | undefined): string[] {
  const known = MEASURES.map(({ name }) => name);
  if (only === undefined) return known;
  const wanted = only.split(',').map((name) => name.trim());
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new BenchOptionsError(`there is no measure "${unknown}": use some of ${known.join(', ')}`);
  }
  return known.filter((name) => wanted.includes(name));
}

export function helpText(): string {
  const width = Math.max(...MEASURES.map(({ name }) => name.length));
  return [
    'npm run bench -- [options]',
    '',
    '  --only a,b         take these measures only',
    '  --quick            show in less than a minute that everything runs; the figures are rough',
    '  --json             print one JSON object as the last line',
    '  --directory PATH   measure in PATH, a directory that is there; by default on the disk of the repository',
    '  --help             print this',
    '',
    'Measures:',
    ...MEASURES.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'bench/README.md says what the figures mean.',
  ].join('\n');
}
