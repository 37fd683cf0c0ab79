import type { DurableFunction } from '../../src/index.ts';
import { createFixture } from './client-fixture.ts';

export type Report = DurableFunction<[tenant: string], string>;

/** A started client with a function to schedule. */
export async function startReporting(handler: (tenant: string) => string = (tenant) => tenant) {
  const fixture = createFixture();
  const client = await fixture.startClient();
  const report: Report = client.durable('report', handler, { maxAttempts: 7 });
  return { ...fixture, client, report };
}
