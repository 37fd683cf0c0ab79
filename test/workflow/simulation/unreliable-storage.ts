import type { Storage } from '../../../src/core/storage.ts';
import type { DrivenRuntime } from '../../../src/testing/driven-runtime.ts';
import type { Chance } from './chance.ts';

type StorageCall = (params: unknown) => Promise<unknown>;

export interface Unreliability {
  /** How likely a call is rejected, before or after it took effect. */
  readonly errorProbability: number;
  /** Calls, and answers to them, are up to so long under way, and may overtake each other. */
  readonly maxDelayMs: number;
  /** Heartbeats do not get through: leases are lost. */
  readonly isHeartless: boolean;
}

/** A storage as it is seen over a bad line. */
export function createUnreliableStorage(
  inner: Storage,
  chance: Chance,
  runtime: DrivenRuntime,
  { errorProbability, maxDelayMs, isHeartless }: Unreliability,
): Storage {
  const travel = async (): Promise<void> => {
    const delayMs = maxDelayMs > 0 && chance.is(0.5) ? chance.int(0, maxDelayMs) : 0;
    if (delayMs > 0) await new Promise<void>((resolve) => runtime.setTimer(delayMs, resolve));
    if (chance.is(errorProbability / 2)) throw new Error('the connection was lost');
  };
  return new Proxy(inner, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      const call = (member as StorageCall).bind(target);
      if (key === 'watch' || key === 'close') return call;
      return async (params: unknown) => {
        await travel();
        if (isHeartless && key === 'extendLeases') throw new Error('the heartbeat was lost');
        const answer = await call(params);
        await travel();
        return answer;
      };
    },
  });
}
