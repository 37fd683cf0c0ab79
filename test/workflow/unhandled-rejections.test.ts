import { expect, onTestFinished, test } from 'vitest';
import {
  type DurableFunction,
  type JobHandle,
  type Reseolio,
  sleep,
  step,
  version,
  waitForSignal,
} from '../../src/index.ts';
import { type ClientFixture, createFixture, createGate } from '../client/client-fixture.ts';
import { FAST, ONCE, work } from './workflow-fixture.ts';

/** The rejections that would end the process. */
function collectUnhandled(): unknown[] {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  onTestFinished(() => {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  });
  return unhandled;
}

interface Asker {
  readonly fixture: ClientFixture;
  readonly child: DurableFunction<[], unknown>;
  readonly other: JobHandle;
}

/** Each asks for something that takes long, or is refused. */
const REQUESTS: Record<string, (asker: Asker) => Promise<unknown>> = {
  'waitForSignal()': () => waitForSignal('go'),
  'sleep()': () => sleep(5000),
  'step()': ({ fixture: { runtime } }) => step('long', () => work(runtime, 5000)),
  'a call': ({ child }) => child(),
  'result()': ({ other }) => other.result(),
  'version()': () => version('change', 1),
};

async function createAsker(fixture: ClientFixture, client: Reseolio): Promise<Asker> {
  const child = client.durable('child', () => waitForSignal('go'));
  return { fixture, child, other: await child() };
}

const ENDINGS = {
  'is asked to stop': async ({ runtime }: ClientFixture, handle: JobHandle) => {
    await handle.cancel({ running: true });
    await runtime.advance(1000);
  },
  'times out': ({ runtime }: ClientFixture) => runtime.advance(1000),
  'loses its lease': async ({ runtime, storage }: ClientFixture) => {
    storage.fail('extendLeases', new Error('cut'));
    await runtime.advance(700);
    storage.heal('extendLeases');
  },
};

type Ending = keyof typeof ENDINGS;

const CASES = Object.keys(REQUESTS).flatMap((request) =>
  (Object.keys(ENDINGS) as Ending[]).map((ending) => [request, ending] as const),
);

test.each(CASES)('%s that is not awaited yet is no unhandled rejection when the job %s', async (request, ending) => {
  const unhandled = collectUnhandled();
  const fixture = createFixture();
  const { runtime, storage, startClient } = fixture;
  const client = await startClient({ leaseMs: 300 });
  const asker = await createAsker(fixture, client);
  const ask = (): Promise<unknown> | undefined => REQUESTS[request]?.(asker);
  const parent = client.durable(
    'parent',
    async () => {
      const held = ask();
      await work(runtime, 900);
      const late = ask();
      await work(runtime, 900);
      return Promise.all([held, late]);
    },
    { ...ONCE, timeoutMs: ending === 'times out' ? 500 : 60_000 },
  );
  // So that calls and steps are still to begin when it ends.
  const gate = createGate();
  storage.hold('recordSteps', gate.opened);
  const handle = await parent();
  await runtime.advance(50);
  await ENDINGS[ending](fixture, handle);
  gate.open();
  await runtime.advance(3000);
  expect(unhandled).toEqual([]);
});

test('what is not awaited yet is no unhandled rejection when the handler and what it remembers do not fit', async () => {
  const unhandled = collectUnhandled();
  const fixture = createFixture();
  const { runtime, startClient } = fixture;
  const client = await startClient();
  const asker = await createAsker(fixture, client);
  let runs = 0;
  const parent = client.durable(
    'parent',
    async () => {
      const held = Object.values(REQUESTS).map((ask) => ask(asker));
      await step(++runs === 1 ? 'old' : 'new', () => 1);
      if (runs === 1) throw new Error('once');
      return Promise.all(held);
    },
    FAST,
  );
  const handle = await parent();
  await runtime.advance(1000);
  expect(await handle.details()).toMatchObject({ status: 'dead', error: { name: 'NondeterminismError' } });
  expect(unhandled).toEqual([]);
});
