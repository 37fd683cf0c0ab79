import { join } from 'node:path';
import { makeOnce } from './cache.ts';
import type { Installation } from './installation.ts';
import { runAsServerUser } from './server-user.ts';

const INITDB_ARGS = ['--locale=C', '-E', 'UTF8', '--auth=trust', '-U', 'postgres', '--no-sync'];

/** Fills the empty `directory` with a new database cluster: a copy of one that was made once, as making takes seconds. */
export async function fillFromTemplate({ binaries, version }: Installation, directory: string): Promise<void> {
  const template = await makeOnce({
    name: 'template',
    key: [binaries, version, ...INITDB_ARGS].join(' '),
    sentinel: 'global/pg_control',
    fill: async (scratch) => {
      await runAsServerUser(join(binaries, 'initdb'), [...INITDB_ARGS, '-D', scratch]);
    },
  });
  await runAsServerUser('cp', ['-R', `${template}/.`, directory]);
}
