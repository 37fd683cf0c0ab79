import { CALL_OPTION_KEYS, type CallOptions } from '../core/options.ts';

/**
 * The options that a call ends with, or null: a trailing plain object that consists of nothing but call options and
 * holds at least one. An empty object, one with any other key, an instance of a class and an object without a
 * prototype are arguments.
 */
export function findTrailingOptions(given: readonly unknown[]): CallOptions | null {
  const last = given.at(-1);
  if (typeof last !== 'object' || last === null || Object.getPrototypeOf(last) !== Object.prototype) return null;
  const keys = Reflect.ownKeys(last);
  const areOptions = keys.length > 0 && keys.every((key) => typeof key === 'string' && CALL_OPTION_KEYS.has(key));
  return areOptions ? (last as CallOptions) : null;
}
