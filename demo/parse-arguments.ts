import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run demo -- [directory] [options]

Compresses the files of a directory, one durable job for each, in two worker processes, of which one is killed with
kill -9 three times on the way; then checks every result against a direct computation. The files must hold still.
The last line is JSON; the exit code is 1 if a job was lost or a result is wrong, 2 for bad arguments.

  directory           where the files are (default: this project's node_modules)
  --files <n>         at most so many files, 1 to 10000 (default: 2000)
  --storage <where>   lmdb (default) or postgres: a directory or a server of its own, removed at the end;
                      or the URL of a storage, lmdb:// or postgres://, in which the jobs stay
  --help              prints this`;

/** This file runs as `.build/demo/parse-arguments.js`. */
const OWN_NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** The most that one `enqueueMany` takes. */
const MAX_FILES = 10_000;

export interface DemoArguments {
  readonly directory: string;
  readonly fileLimit: number;
  /** `lmdb` or `postgres` for a fresh one that is removed at the end, or the URL of one. */
  readonly storage: string;
}

/** Something that the person who started the demo can put right; `message` says what. */
export class UsageError extends Error {}

/** What the command line asks for, or null where it asks for help. Throws `UsageError`. */
export function parseArguments(args: readonly string[]): DemoArguments | null {
  const { values, positionals } = parseStrictly(args);
  if (values.help === true) return null;
  if (positionals.length > 1) throw new UsageError(`one directory at a time, not ${positionals.length}`);
  return {
    directory: readDirectory(positionals[0] ?? OWN_NODE_MODULES),
    fileLimit: readFileLimit(values.files),
    storage: readStorage(values.storage),
  };
}

function parseStrictly(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { files: { type: 'string' }, storage: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    // Only the first sentence: what follows is advice about `--` that does not fit here.
    throw new UsageError((error as Error).message.split('. ')[0]);
  }
}

function readDirectory(given: string): string {
  const directory = resolve(given);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`${given} is not a directory`);
  }
  return directory;
}

function readFileLimit(given = '2000'): number {
  const limit = Number(given);
  if (!/^\d+$/.test(given) || limit < 1 || limit > MAX_FILES) {
    throw new UsageError(`--files is ${JSON.stringify(given)}: use a whole number from 1 to ${MAX_FILES}`);
  }
  return limit;
}

function readStorage(given = 'lmdb'): string {
  if (given === 'lmdb' || given === 'postgres') return given;
  if (given.startsWith('memory:')) throw new UsageError('--storage memory:// lives in one process; the demo has three');
  if (/^[a-z]+:\/\//.test(given)) return given;
  throw new UsageError(`--storage is ${JSON.stringify(given)}: use lmdb, postgres, or a URL`);
}
