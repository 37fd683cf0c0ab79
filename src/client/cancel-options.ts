import { assertKeys, assertOneOf } from './client-options.ts';

export interface CancelOptions {
  /** Ask the job to stop if it is running. Default false. */
  readonly running?: boolean;
}

const KEYS: ReadonlySet<string> = new Set(['running'] satisfies (keyof CancelOptions)[]);

/** Whether running jobs are meant too; throws `invalid_option`. */
export function resolveCancelOptions(options: CancelOptions): boolean {
  assertKeys('cancel', options, KEYS);
  const { running = false } = options;
  assertOneOf('running', running, [true, false]);
  return running;
}
