import { Command } from 'commander';
import { migrateStorage } from '../backends/open-storage.ts';
import { addStorageOptions } from './command-options.ts';
import type { Output } from './terminal.ts';
import type { StorageFlags } from './with-client.ts';

/** `reseolio migrate`: brings the schema of a PostgreSQL storage to the version of this library. */
export function createMigrateCommand({ out }: Output): Command {
  const migrate = new Command('migrate').description('bring the schema of a PostgreSQL storage to this version');
  return addStorageOptions(migrate).action(async ({ storage, json }: StorageFlags) => {
    const { from, to } = await migrateStorage(storage);
    if (json) out(JSON.stringify({ from, to }));
    else if (to === 0) out('this storage has no schema: nothing to do');
    else out(from === to ? `version ${to}: nothing to do` : `from version ${from} to ${to}`);
  });
}
