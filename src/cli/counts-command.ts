import { Command } from 'commander';
import { JOB_STATES } from '../core/job.ts';
import { addStorageOptions } from './command-options.ts';
import { formatTable, type Output } from './terminal.ts';
import { type StorageFlags, withClient } from './with-client.ts';

/** `reseolio counts`: how many jobs of each name are in each state. */
export function createCountsCommand({ out }: Output): Command {
  const counts = new Command('counts').description('how many jobs of each function are in each status');
  return addStorageOptions(counts).action(async (flags: StorageFlags) => {
    const names = await withClient(flags, (client) => client.counts());
    if (flags.json) return out(JSON.stringify(names));
    const rows = names.map((each) => [each.name, ...JOB_STATES.map((state) => each[state])]);
    out(formatTable(['NAME', ...JOB_STATES.map((state) => state.toUpperCase())], rows));
  });
}
