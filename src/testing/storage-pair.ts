import assert from 'node:assert/strict';
import { MemoryStorage } from '../backends/memory/memory-storage.ts';
import type { Storage } from '../core/storage.ts';
import { DrivenRuntime } from './driven-runtime.ts';
import type { StorageFixture } from './storage-harness.ts';

/** A storage under test and the reference model, to which the same is done while their clocks go together. */
export class StoragePair {
  readonly model: Storage;
  readonly #fixture: StorageFixture;
  readonly #runtime: DrivenRuntime;
  /** The storage under test, or several on the same jobs, which take turns. */
  #subjects: readonly Storage[];
  #turn = 0;

  private constructor(fixture: StorageFixture, subjects: readonly Storage[]) {
    this.#fixture = fixture;
    this.#subjects = subjects;
    this.#runtime = new DrivenRuntime({ startAt: fixture.now() });
    this.model = new MemoryStorage({ runtime: this.#runtime });
  }

  static async open(fixture: StorageFixture): Promise<StoragePair> {
    return new StoragePair(fixture, await withAnother(fixture, fixture.storage));
  }

  now(): number {
    return this.#runtime.now();
  }

  /** What the model answers to `call`, and what the storage under test does. */
  async ask<T>(call: (storage: Storage) => Promise<T>): Promise<Readonly<{ expected: T; actual: T }>> {
    const expected = await call(this.model);
    return { expected, actual: await call(this.#subjects[this.#turn++ % this.#subjects.length] as Storage) };
  }

  async compare(call: (storage: Storage) => Promise<unknown>): Promise<void> {
    const { expected, actual } = await this.ask(call);
    assert.deepEqual(actual, expected);
  }

  async advance(ms: number): Promise<void> {
    await this.#runtime.advance(ms);
    await this.#fixture.advance(ms);
    assert.equal(
      this.#fixture.now(),
      this.#runtime.now(),
      'the clock moves by what it is advanced, and by nothing else',
    );
  }

  /** Closes the storage under test and opens it again, if it can be. */
  async reopen(): Promise<void> {
    if (this.#fixture.reopen === null) return;
    this.#subjects = await withAnother(this.#fixture, await this.#fixture.reopen());
  }
}

async function withAnother(fixture: StorageFixture, storage: Storage): Promise<Storage[]> {
  return fixture.openAnother === null ? [storage] : [storage, await fixture.openAnother()];
}
