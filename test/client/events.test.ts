import { describe, expect, onTestFinished, test } from 'vitest';
import { NonRetryableError, type ReseolioEventName, type ReseolioListener } from '../../src/index.ts';
import { createFixture, withCode } from './client-fixture.ts';

const ALL_EVENTS = [
  'ready',
  'stopped',
  'job:start',
  'job:success',
  'job:error',
  'job:dead',
  'deduplicated',
  'storage:error',
] as const satisfies ReseolioEventName[];

async function startRecorded() {
  const fixture = createFixture();
  const client = fixture.createClient();
  const events: [ReseolioEventName, unknown][] = [];
  for (const name of ALL_EVENTS) client.on(name, (payload: unknown) => events.push([name, payload]));
  await client.start();
  return { ...fixture, client, events };
}

describe('events', () => {
  test('tell of a job from its start to its success', async () => {
    const { client, events, runtime } = await startRecorded();
    const handle = await client.durable('f', () => 1)();
    await runtime.advance(0);
    await client.stop();
    const job = { jobId: handle.jobId, name: 'f', attempt: 1 };
    expect(events).toEqual([
      ['ready', { workerId: expect.stringMatching(/^.+:\d+:[0-9a-f]{8}$/) }],
      ['job:start', job],
      ['job:success', { ...job, durationMs: 0 }],
      ['stopped', { workerId: expect.any(String) }],
    ]);
  });

  test('tell of each failed attempt, and of the end', async () => {
    const { client, events, runtime } = await startRecorded();
    const f = client.durable(
      'f',
      () => {
        throw new TypeError('no');
      },
      { maxAttempts: 2, jitter: 0, initialDelayMs: 300 },
    );
    const { jobId } = await f();
    await runtime.advance(300);
    const error = { name: 'TypeError', message: 'no', stack: expect.stringContaining('events.test.ts') };
    expect(events.slice(1)).toEqual([
      ['job:start', { jobId, name: 'f', attempt: 1 }],
      ['job:error', { jobId, name: 'f', attempt: 1, error, retryInMs: 300 }],
      ['job:start', { jobId, name: 'f', attempt: 2 }],
      ['job:error', { jobId, name: 'f', attempt: 2, error, retryInMs: null }],
      ['job:dead', { jobId, name: 'f', attempt: 2, error }],
    ]);
  });

  test('of an outcome come after it is stored', async () => {
    const { client, events, runtime, storage } = await startRecorded();
    let store = (): void => {};
    storage.hold('settle', new Promise((resolve) => (store = resolve)));
    await client.durable('f', () => 1)();
    await runtime.advance(0);
    expect(events.map(([name]) => name)).toEqual(['ready', 'job:start']);
    store();
    await runtime.advance(0);
    expect(events.map(([name]) => name)).toEqual(['ready', 'job:start', 'job:success']);
  });

  test('tell of a deduplicated call', async () => {
    const { client, events, runtime } = await startRecorded();
    const f = client.durable('f', () => 1);
    const { jobId } = await f({ idempotencyKey: 'k', delayMs: 1000 });
    await f({ idempotencyKey: 'k' });
    await runtime.advance(0);
    expect(events.slice(1)).toEqual([['deduplicated', { jobId, name: 'f', idempotencyKey: 'k' }]]);
  });

  test('on, once and off', async () => {
    const { client, runtime } = await startRecorded();
    const heard: string[] = [];
    const always: ReseolioListener<'job:start'> = ({ attempt }) => heard.push(`always ${attempt}`);
    const once = (): void => void heard.push('once');
    const never = (): void => void heard.push('never');
    client.on('job:start', always).once('job:start', once).once('job:start', never).off('job:start', never);
    client.off('job:start', () => {});
    const f = client.durable('f', () => 1);
    await f.enqueueMany([[], []]);
    await runtime.advance(0);
    expect(heard).toEqual(['always 1', 'once', 'always 1']);
    client.off('job:start', always);
    await f();
    await runtime.advance(0);
    expect(heard).toHaveLength(3);
  });

  test('a listener that fails disturbs no one and becomes a warning', async () => {
    const { client, runtime, events } = await startRecorded();
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    onTestFinished(() => {
      process.off('warning', listen);
    });
    client.on('job:start', () => {
      throw new Error('bad listener');
    });
    const failing = () => Promise.reject(new Error('bad async listener'));
    client.on('job:success', failing as () => void);
    const handle = await client.durable('f', () => 'fine')();
    const result = handle.result();
    await runtime.advance(0);
    expect(await result).toBe('fine');
    expect(events.map(([name]) => name)).toContain('job:success');
    const texts = warnings.filter(({ name }) => name === 'ReseolioWarning').map(({ message }) => message);
    expect(texts).toEqual([
      expect.stringContaining("a listener of 'job:start' failed: Error: bad listener"),
      expect.stringContaining("a listener of 'job:success' failed: Error: bad async listener"),
    ]);
  });

  test('unknown names and listeners that are none are refused', async () => {
    const { client } = await startRecorded();
    const refused = expect.objectContaining(withCode('invalid_argument'));
    const unknown = 'job:done' as 'job:start';
    expect(() => client.on(unknown, () => {})).toThrow(refused);
    expect(() => client.once(unknown, () => {})).toThrow(refused);
    expect(() => client.off(unknown, () => {})).toThrow(refused);
    expect(() => client.on('ready', undefined as unknown as () => void)).toThrow(refused);
  });

  test('NonRetryableError ends a job with one error and its death', async () => {
    const { client, runtime, events } = await startRecorded();
    const f = client.durable('f', () => {
      throw new NonRetryableError('bad card');
    });
    await f();
    await runtime.advance(0);
    expect(events.map(([name]) => name)).toEqual(['ready', 'job:start', 'job:error', 'job:dead']);
  });
});
