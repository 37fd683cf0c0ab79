import { ReseolioError } from '../core/errors.ts';
import { describeValue } from '../core/options.ts';
import type { WorkNames } from './work-names.ts';

/** A user's function, its types known to the {@link DurableFunction} that calls it only. */
export type Handler = (...args: unknown[]) => unknown;

/** The handlers of one client. A worker claims the jobs of their names and no others. */
export class HandlerRegistry implements WorkNames {
  readonly #handlers = new Map<string, Handler>();
  readonly #listeners: (() => void)[] = [];
  #names: readonly string[] = [];

  /** In the order of registration; the same array until a handler is added. */
  get names(): readonly string[] {
    return this.#names;
  }

  has(name: string): boolean {
    return this.#handlers.has(name);
  }

  get(name: string): Handler | null {
    return this.#handlers.get(name) ?? null;
  }

  /** Throws `duplicate_handler` if the name is taken. */
  add(name: string, handler: Handler): void {
    if (this.#handlers.has(name)) {
      throw new ReseolioError('duplicate_handler', `${describeValue(name)} has a handler already`);
    }
    this.#handlers.set(name, handler);
    this.#names = [...this.#names, name];
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` whenever a handler is added. */
  onAdded(listener: () => void): void {
    this.#listeners.push(listener);
  }
}
