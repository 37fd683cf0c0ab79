import { parseArgs } from 'node:util';
import { MEASURES } from './measure-list.ts';
import { STORAGE_KINDS, type StorageKind } from './storage-under-test.ts';

export interface BenchOptions {
  readonly isHelp: boolean;
  readonly isJson: boolean;
  readonly isQuick: boolean;
  /** Names of the measures to take, in the order of the list. Not every storage has each. */
  readonly only: readonly string[];
  readonly storages: readonly StorageKind[];
  /** A server to measure; null: one that the bench starts. */
  readonly postgresUrl: string | null;
  /** Where the measured files go; null: beside the compiled code. */
  readonly directory: string | null;
  /** Where the figures and plots go; null: nowhere, or with those of the repository if the run is whole. */
  readonly results: string | null;
}

/** What is wrong with the command line, as said to the user. */
export class BenchOptionsError extends Error {}

/** Throws a {@link BenchOptionsError} for an unknown option, measure or argument. */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parse(args);
  const storages = selectStorages(values.storage);
  return {
    isHelp: values.help,
    isJson: values.json,
    isQuick: values.quick,
    only: selectMeasures(values.only, storages),
    storages,
    postgresUrl: values['postgres-url'] ?? null,
    directory: values.directory ?? null,
    results: values.results ?? null,
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
        storage: { type: 'string', default: STORAGE_KINDS.join(',') },
        'postgres-url': { type: 'string' },
        directory: { type: 'string' },
        results: { type: 'string' },
      },
    });
  } catch (error) {
    throw new BenchOptionsError((error as Error).message, { cause: error });
  }
}

function selectStorages(storage: string): StorageKind[] {
  return selectFrom(STORAGE_KINDS, storage, 'storage');
}

function selectMeasures(only: string | undefined, storages: readonly StorageKind[]): string[] {
  const known = MEASURES.filter((measure) => storages.some((kind) => measure[kind] !== undefined));
  const names = known.map(({ name }) => name);
  return only === undefined ? names : selectFrom(names, only, `measure of ${storages.join(' or ')}`);
}

/** Those of `known` that are in the list `wanted`, in the order in which they are known. */
function selectFrom<Name extends string>(known: readonly Name[], wanted: string, what: string): Name[] {
  const names = wanted.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.some((each) => each === name));
  if (unknown !== undefined) {
    throw new BenchOptionsError(`there is no ${what} "${unknown}": use some of ${known.join(', ')}`);
  }
  return known.filter((name) => names.includes(name));
}

export function helpText(): string {
  const width = Math.max(...MEASURES.map(({ name }) => name.length));
  return [
    'npm run bench -- [options]',
    '',
    '  --storage a,b        measure these of lmdb and postgres; by default both',
    '  --only a,b           take these measures only',
    '  --quick              show in two minutes that everything runs; the figures are rough',
    '  --json               print one JSON object as the last line',
    '  --directory PATH     measure in PATH, a directory that is there; by default on the disk of the repository',
    '  --results PATH       keep the figures (JSON) and plots (SVG) in PATH; a whole run keeps them in bench/results',
    '  --postgres-url URL   measure this server; by default one that the bench starts in the directory',
    '  --help               print this',
    '',
    'Measures:',
    ...MEASURES.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'bench/README.md says what the figures mean.',
  ].join('\n');
}
