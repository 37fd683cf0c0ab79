import { decodeOperation, OPERATION_NUMBERS } from './model-operation.ts';
import { ModelRun } from './model-run.ts';
import type { StorageHarness, TestFunctions } from './storage-harness.ts';

/** Random runs take seconds, and many times as long on a machine that is busy. */
const TIMEOUT_MS = 120_000;

/** What of fast-check the model run needs; `import fc from 'fast-check'` fits. */
export interface FastCheck {
  nat(max: number): object;
  array(items: object, constraints: { maxLength: number; size: 'max' }): object;
  asyncProperty(values: object, predicate: (numbers: number[]) => Promise<void>): object;
  assert(property: object, params: { numRuns: number; seed?: number; endOnFailure?: boolean }): Promise<void> | void;
}

export interface StorageModelParams extends TestFunctions {
  readonly fc: FastCheck;
  /** Random runs. Default 100. */
  readonly runs?: number;
  /** Operations in a run, at most. Default 150. */
  readonly maxOperations?: number;
  /** Repeats the runs of an earlier failure, which names its seed. Default: random. */
  readonly seed?: number;
}

/**
 * Registers a test that does the same random operations to a storage of the harness and to the reference model, and
 * fails with the fewest operations (and the seed) after which the two differ.
 */
export function describeStorageModel(
  name: string,
  harness: StorageHarness,
  params: Readonly<StorageModelParams>,
): void {
  params.describe(name, () => {
    const run = () => runStorageModel(harness, params);
    params.it('answers random operations as the reference model does', run, TIMEOUT_MS);
  });
}

/** The run that {@link describeStorageModel} registers; rejects where the storage and the model differ. */
export async function runStorageModel(
  harness: StorageHarness,
  params: Readonly<Omit<StorageModelParams, keyof TestFunctions>>,
): Promise<void> {
  const { fc, runs = 100, maxOperations = 150, seed } = params;
  const numbers = fc.array(fc.nat(OPERATION_NUMBERS - 1), { maxLength: maxOperations, size: 'max' });
  const property = fc.asyncProperty(numbers, (drawn) => runOperations(harness, drawn));
  await fc.assert(property, seed === undefined ? { numRuns: runs } : { numRuns: runs, seed });
}

async function runOperations(harness: StorageHarness, numbers: readonly number[]): Promise<void> {
  const fixture = await harness.open();
  const done: string[] = [];
  try {
    const run = await ModelRun.start(fixture);
    for (const number of numbers) {
      const operation = decodeOperation(number);
      done.push(JSON.stringify(operation));
      await run.apply(operation);
    }
    done.push('compare everything');
    await run.compareEverything();
  } catch (error) {
    throw new Error(`the storage and the model differ after these operations:\n${done.join('\n')}`, { cause: error });
  } finally {
    await fixture.destroy();
  }
}
