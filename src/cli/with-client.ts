import { Reseolio } from '../client/reseolio.ts';

/** What every command that reads or changes a storage takes. */
export interface StorageFlags {
  readonly storage: string;
  readonly json?: boolean;
}

/** To look into a storage changes nothing in it: others say how long jobs are kept, and `reseolio migrate` is a command. */
const UNINTRUSIVE = {
  workerConcurrency: 0,
  migrate: 'manual',
  retention: { success: null, dead: null, cancelled: null },
} as const;

/** Calls `use` with a client that runs no jobs, and closes it. */
export async function withClient<Result>(
  { storage }: StorageFlags,
  use: (client: Reseolio) => Promise<Result>,
): Promise<Result> {
  const client = new Reseolio({ storage, ...UNINTRUSIVE });
  await client.start();
  try {
    return await use(client);
  } finally {
    await client.stop();
  }
}
