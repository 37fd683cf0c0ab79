import type { Runtime } from '../core/runtime.ts';

/** Resolves with true as soon as `promise` resolves or rejects, with false if that takes longer than `boundMs`. */
export function settlesWithin(runtime: Runtime, promise: Promise<unknown>, boundMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = runtime.setTimer(boundMs, () => resolve(false));
    const end = (): void => {
      timer.cancel();
      resolve(true);
    };
    promise.then(end, end);
  });
}
