import type { Storage } from '../../src/core/storage.ts';
import type { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import { work } from './workflow-fixture.ts';

type Read = (params: unknown) => Promise<unknown>;

/** The same storage, far away: what handlers wait for takes `ms` to be read. */
export function withSlowReads(storage: Storage, runtime: DrivenRuntime, ms: number): Storage {
  return new Proxy(storage, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key !== 'getSignals' && key !== 'getJobs') return value;
      return async (params: unknown) => {
        await work(runtime, ms);
        return (value as Read)(params);
      };
    },
  });
}
