import { Reseolio } from '../client/reseolio.ts';

/** What every command that reads or changes a storage takes. */
export interface StorageFlags {
  readonly storage: string;
  readonly json?: boolean;
}

/** Calls `use` with a client that runs no jobs, and closes it. */
export async function withClient<Result>(
  { storage }: StorageFlags,
  use: (client: Reseolio) => Promise<Result>,
): Promise<Result> {
  const client = new Reseolio({ storage, workerConcurrency: 0 });
  await client.start();
  try {
    return await use(client);
  } finally {
    await client.stop();
  }
}
