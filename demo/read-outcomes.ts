import type { Reseolio } from '../src/index.ts';
import type { StoredOutcome } from './check-results.ts';
import type { CompressedFile } from './compress-file.ts';

/** A result that is stored is there at once; this bounds the wait for one that is not. */
const READ_TIMEOUT_MS = 10_000;

/** What is stored of each file's job, by position as the paths. */
export async function readOutcomes(
  reseolio: Pick<Reseolio, 'getHandle'>,
  paths: readonly string[],
  jobIds: readonly string[],
): Promise<StoredOutcome[]> {
  return Promise.all(
    paths.map(async (path, i) => {
      try {
        const handle = reseolio.getHandle<CompressedFile>(jobIds[i] as string);
        return { path, result: await handle.result(READ_TIMEOUT_MS), reason: null };
      } catch (error) {
        return { path, result: null, reason: (error as Error).message };
      }
    }),
  );
}
