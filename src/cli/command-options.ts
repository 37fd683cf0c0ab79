import { type Command, InvalidArgumentError, Option } from 'commander';

const DEFAULT_STORAGE = 'lmdb://./reseolio';

/** A storage, and how to print. */
export function addStorageOptions(command: Command): Command {
  return addStorageOption(command).option('--json', 'print JSON');
}

export function addStorageOption(command: Command): Command {
  return command.addOption(
    new Option('--storage <url>', 'lmdb://./directory or postgres://user@host/database')
      .env('RESEOLIO_DB')
      .default(DEFAULT_STORAGE),
  );
}

export function parseCount(given: string): number {
  if (/^\d{1,9}$/.test(given)) return Number(given);
  throw new InvalidArgumentError('use a whole number');
}
