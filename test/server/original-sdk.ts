import { Reseolio } from 'reseolio-original';
import { onTestFinished, vi } from 'vitest';

export interface SdkParams {
  readonly address: string;
  readonly workerConcurrency?: number;
}

/** A client of the original SDK, which is stopped when the test ends. What it logs is not shown. */
export function createSdk({ address, workerConcurrency = 10 }: SdkParams): Reseolio {
  vi.spyOn(console, 'debug').mockImplementation(() => {});
  const sdk = new Reseolio({ address, workerConcurrency, autoStart: false });
  onTestFinished(() => sdk.stop());
  return sdk;
}

/** Resolves with the next event of the name. */
export function nextEvent(sdk: Reseolio, event: string): Promise<unknown[]> {
  return new Promise((resolve) => sdk.once(event, (...values: unknown[]) => resolve(values)));
}
