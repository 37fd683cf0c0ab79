import type { CompressedFile } from './compress-file.ts';

/** A file and what became of its job: the stored result, or null if there is none. */
export interface StoredOutcome {
  readonly path: string;
  readonly result: CompressedFile | null;
  /** Why there is no result. */
  readonly reason: string | null;
}

export interface CheckReport {
  /** Jobs that have no result. */
  readonly lost: number;
  /** Jobs whose result is not what a direct computation gives. */
  readonly wrong: number;
  /** One line for each lost or wrong job. */
  readonly problems: readonly string[];
}

/** How many files are computed at once. */
const PARALLEL = 8;

/** Computes every file anew with `compute`, in this process, and compares. */
export async function checkResults(
  outcomes: readonly StoredOutcome[],
  compute: (path: string) => Promise<CompressedFile>,
  onChecked: (count: number) => void,
): Promise<CheckReport> {
  const problems: string[] = [];
  const remaining = outcomes.values();
  let lost = 0;
  let wrong = 0;
  let checked = 0;

  async function checkOne({ path, result, reason }: StoredOutcome): Promise<void> {
    if (result === null) {
      lost++;
      problems.push(`lost: ${path}: ${reason ?? 'no result'}`);
      return;
    }
    const difference = await compute(path).then((computed) => findDifference(result, computed), describeFailure);
    if (difference === null) return;
    wrong++;
    problems.push(`wrong: ${path}: ${difference}`);
  }

  async function checkRemaining(): Promise<void> {
    for (const outcome of remaining) {
      await checkOne(outcome);
      onChecked(++checked);
    }
  }

  await Promise.all(Array.from({ length: PARALLEL }, checkRemaining));
  return { lost, wrong, problems };
}

function findDifference(stored: CompressedFile, computed: CompressedFile): string | null {
  for (const field of ['size', 'compressedSize', 'sha256'] as const) {
    if (stored[field] !== computed[field]) return `${field} is ${stored[field]}, and should be ${computed[field]}`;
  }
  return null;
}

function describeFailure(error: Error): string {
  return `cannot be computed any more: ${error.message}`;
}
