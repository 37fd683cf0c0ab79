import { inspect } from 'node:util';
import { NonRetryableError, StepFailedError } from '../core/errors.ts';
import type { StoredError } from '../core/job.ts';
import { LIMITS } from '../core/options.ts';

const NON_RETRYABLE = 'NonRetryableError';
const NAME_CHARS = 128;
/** Causes of causes beyond this, and errors of an AggregateError beyond this, are left out. */
const MAX_CAUSES = 5;

/** What is stored of a thrown value, whatever it is: this never throws, and the texts are bounded. */
export function toStoredError(thrown: unknown): StoredError {
  try {
    return describeThrown(thrown);
  } catch {
    return { name: 'Error', message: `a thrown ${typeof thrown} that cannot be read`, stack: null };
  }
}

/** True for the {@link NonRetryableError} of this and of any other copy of the package, and for a step that failed with one. */
export function isNonRetryable(thrown: unknown): boolean {
  try {
    if (thrown instanceof StepFailedError) return !thrown.isRetryable;
    return thrown instanceof NonRetryableError || (isErrorLike(thrown) && readText(thrown, 'name') === NON_RETRYABLE);
  } catch {
    return false;
  }
}

function describeThrown(thrown: unknown): StoredError {
  if (!isErrorLike(thrown)) {
    return { name: 'Error', message: bounded(show(thrown), LIMITS.errorMessageChars), stack: null };
  }
  const stack = readText(thrown, 'stack');
  return {
    name: bounded(readText(thrown, 'name') || 'Error', NAME_CHARS),
    message: bounded(readText(thrown, 'message') ?? '', LIMITS.errorMessageChars),
    stack: stack === null ? null : bounded(stack + describeCauses(thrown, new Set([thrown])), LIMITS.errorStackChars),
  };
}

/** Errors of other realms, and objects made to look like errors, count. */
function isErrorLike(value: unknown): value is object {
  return value instanceof Error || (typeof value === 'object' && value !== null && readText(value, 'message') !== null);
}

function describeCauses(error: object, seen: Set<unknown>): string {
  let text = '';
  for (const cause of causesOf(error)) {
    if (seen.has(cause) || seen.size > MAX_CAUSES) continue;
    seen.add(cause);
    text += `\nCaused by: ${isErrorLike(cause) ? describeError(cause) : show(cause)}`;
    if (isErrorLike(cause)) text += describeCauses(cause, seen);
  }
  return text;
}

function causesOf(error: object): unknown[] {
  const cause = read(error, 'cause');
  const errors = read(error, 'errors');
  return [...(cause === undefined ? [] : [cause]), ...(Array.isArray(errors) ? errors.slice(0, MAX_CAUSES) : [])];
}

function describeError(error: object): string {
  return readText(error, 'stack') ?? `${readText(error, 'name') ?? 'Error'}: ${readText(error, 'message') ?? ''}`;
}

function readText(object: object, key: string): string | null {
  const value = read(object, key);
  return typeof value === 'string' ? value : null;
}

/** A getter of the thrown object may throw in turn. */
function read(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return undefined;
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 2, maxArrayLength: 20, maxStringLength: 1000 });
}

function bounded(text: string, maxChars: number): string {
  return (text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text).toWellFormed();
}
