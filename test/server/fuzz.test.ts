import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/backends/memory/memory-storage.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import { CALLS, RawCaller, serialize } from './raw-calls.ts';
import { connect, serve } from './server-fixture.ts';

const SEED = 20_261_125;

/** What a server may answer to nonsense: it has understood, it refuses, or it cannot read it. */
const SOUND = ['OK', 'INVALID_ARGUMENT', 'NOT_FOUND', 'ALREADY_EXISTS', 'FAILED_PRECONDITION', 'RESOURCE_EXHAUSTED'];
/** What gRPC says of bytes that are no message. */
const UNREADABLE = 'INTERNAL';

/** A server with jobs and a schedule, and what is stored in it. The jobs have ended, so that nobody waits for them. */
async function createTarget() {
  const storage = new MemoryStorage({ runtime: createSystemRuntime() });
  const server = await serve({ storage });
  const client = connect(server);
  const jobIds = [await client.enqueue('fuzz:a'), await client.enqueue('fuzz:b')];
  for (const jobId of jobIds) await client.call('CancelJob', { jobId });
  await client.call('CreateSchedule', { name: 'fuzz:yearly', cronExpression: '0 0 1 1 *' });
  const count = async (): Promise<readonly [number, number]> => [
    (await client.call('ListJobs', {})).total,
    (await client.call('ListSchedules', {})).total,
  ];
  return { storage, server, client, jobIds, raw: new RawCaller(server.address), count };
}

/** Works as before: a job goes through. */
async function expectToWork({ client }: Awaited<ReturnType<typeof createTarget>>): Promise<void> {
  const worker = client.work('after', ['fuzz:after'], 1);
  const jobId = await client.enqueue('fuzz:after', [{ still: 'here' }]);
  expect((await worker.jobs.next()).id).toBe(jobId);
  await worker.succeed(jobId, 'yes');
  expect(await client.subscribe(jobId).completions.next()).toMatchObject({ jobId, status: 3 });
  worker.cancel();
}

const anyCall = fc.constantFrom(...CALLS);

/** Text with what is most likely to be taken for something else. */
const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'toString',
    '\0',
    '../..',
    "'; drop table jobs; --",
    '%s%n',
    'x'.repeat(70_000),
  ),
  fc.uuid(),
  fc.constantFrom('0 0 * * *', '* * * * * *', '@daily', '0 0 31 2 *', '*/0 * * * *', '1-99999999 * * * *', 'H H * * *'),
  fc.constantFrom('UTC', 'Europe/Berlin', 'Etc/GMT+99', 'created_at', 'active'),
);
const deep = fc.integer({ min: 1, max: 200_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth));
const hostileBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((json) => Buffer.from(json)),
  fc
    .oneof(deep, fc.constantFrom('{"__proto__":{"polluted":1}}', '[1e999]', '"\\ud800"', 'nul', '[1,]', '\ufeff[]'))
    .map((json) => Buffer.from(json)),
);
const number = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 1000, 10_001));
const options = fc.record(
  {
    maxAttempts: number,
    backoff: hostileText,
    initialDelayMs: number,
    maxDelayMs: number,
    timeoutMs: number,
    jitter: fc.oneof(fc.float(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, 1.0000001)),
  },
  { requiredKeys: [] },
);

/** Every field that any call has; what a call lacks is left out of its message. */
function anyRequest(jobIds: readonly string[]): fc.Arbitrary<object> {
  const id = fc.oneof(hostileText, fc.constantFrom(...jobIds, 'fuzz:yearly'));
  const name = fc.oneof(hostileText, fc.constantFrom('fuzz:a', 'fuzz:b', 'fuzz:yearly'));
  const result = fc.record(
    { success: fc.boolean(), returnValue: hostileBytes, error: hostileText, shouldRetry: fc.boolean() },
    { requiredKeys: [] },
  );
  return fc.record(
    {
      name,
      args: hostileBytes,
      options,
      handlerOptions: options,
      idempotencyKey: hostileText,
      workerId: hostileText,
      names: fc.array(name, { maxLength: 5 }),
      concurrency: number,
      jobId: id,
      scheduleId: id,
      jobIds: fc.array(id, { maxLength: 5 }),
      unsubscribe: fc.boolean(),
      result,
      attempt: number,
      statuses: fc.array(fc.oneof(number, fc.integer({ min: 0, max: 7 })), { maxLength: 5 }),
      limit: number,
      offset: number,
      orderBy: hostileText,
      ascending: fc.boolean(),
      cronExpression: hostileText,
      timezone: hostileText,
      statusFilter: hostileText,
    },
    { requiredKeys: [] },
  );
}

describe('a server that is sent', () => {
  test('random bytes answers every call, and stores nothing that it refuses', async () => {
    const target = await createTarget();
    await fc.assert(
      fc.asyncProperty(anyCall, fc.uint8Array({ maxLength: 500 }), async (call, bytes) => {
        const before = await target.count();
        const answer = await target.raw.send(call, Buffer.from(bytes));
        expect([...SOUND, UNREADABLE]).toContain(answer);
        if (answer !== 'OK') expect(await target.count()).toEqual(before);
      }),
      { seed: SEED, numRuns: 400 },
    );
    await expectToWork(target);
  });

  test('messages that are cut off or changed answers every call, and stores nothing that it refuses', async () => {
    const target = await createTarget();
    const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), cut: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        anyCall,
        anyRequest(target.jobIds),
        fc.array(change, { maxLength: 4 }),
        async (call, request, changes) => {
          let bytes = serialize(call, request);
          for (const { at, byte, cut } of changes) {
            if (bytes.length === 0) break;
            if (cut) bytes = bytes.subarray(0, at % bytes.length);
            else bytes[at % bytes.length] = byte;
          }
          const before = await target.count();
          const answer = await target.raw.send(call, bytes);
          expect([...SOUND, UNREADABLE]).toContain(answer);
          if (answer !== 'OK') expect(await target.count()).toEqual(before);
        },
      ),
      { seed: SEED, numRuns: 400 },
    );
    await expectToWork(target);
  });

  test('well-formed messages with any values answers every call with a sound status', async () => {
    const target = await createTarget();
    await fc.assert(
      fc.asyncProperty(anyCall, anyRequest(target.jobIds), async (call, request) => {
        const before = await target.count();
        const answer = await target.raw.send(call, serialize(call, request));
        expect(SOUND).toContain(answer);
        if (answer !== 'OK') expect(await target.count()).toEqual(before);
      }),
      { seed: SEED, numRuns: 800 },
    );
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    await expectToWork(target);
  });

  test('requests in which all is right but one thing answers what it is, and stores nothing', async () => {
    const target = await createTarget();
    const create = { name: 'fuzz:new', cronExpression: '0 0 1 1 *', timezone: 'UTC' };
    const wrong = fc.oneof(
      hostileBytes.filter((bytes) => !isJson(bytes)).map((args) => ['EnqueueJob', { name: 'fuzz:a', args }] as const),
      hostileBytes.filter((bytes) => !isJson(bytes)).map((args) => ['CreateSchedule', { ...create, args }] as const),
      fc.string({ maxLength: 20 }).map((text) => ['EnqueueJob', { name: `${text} ` }] as const),
      fc
        .string({ maxLength: 20 })
        .map((text) => ['CreateSchedule', { ...create, cronExpression: `${text} ?!` }] as const),
      fc
        .string({ maxLength: 20 })
        .map((text) => ['CreateSchedule', { ...create, timezone: `Nowhere/${text}` }] as const),
      fc
        .integer({ max: -1 })
        .map((maxAttempts) => ['EnqueueJob', { name: 'fuzz:a', options: { maxAttempts } }] as const),
    );
    const before = await target.count();
    await fc.assert(
      fc.asyncProperty(wrong, async ([call, request]) => {
        expect(await target.raw.send(call, serialize(call, request))).toBe('INVALID_ARGUMENT');
      }),
      { seed: SEED, numRuns: 400 },
    );
    expect(await target.count()).toEqual(before);
    await expectToWork(target);
  });

  test('text that is no UTF-8 refuses it, as it could not tell one such key from another', async () => {
    const target = await createTarget();
    const before = await target.count();
    for (const key of [
      [0xff],
      [0xc3],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0x41, 0xfe, 0x42],
    ]) {
      for (const name of [[0x66], key]) {
        const bytes = Buffer.from([0x0a, name.length, ...name, 0x22, key.length, ...key]);
        expect(await target.raw.send('EnqueueJob', bytes)).toBe('INVALID_ARGUMENT');
      }
    }
    expect(await target.count()).toEqual(before);
    const { deduplicated } = await target.client.call('EnqueueJob', { name: 'f', idempotencyKey: 'ü\u{1f600}' });
    expect(deduplicated).toBe(false);
  });

  test('messages that are larger than the limit refuses them on every call', async () => {
    const target = await createTarget();
    const before = await target.count();
    for (const call of CALLS) {
      const filler = Buffer.alloc(1_048_576 + 65_536 + 1);
      // A field that no message has, and so would be skipped.
      const header = Buffer.from([0xfa, 0x3e, ...varint(filler.length)]);
      expect(await target.raw.send(call, Buffer.concat([header, filler]))).toBe('RESOURCE_EXHAUSTED');
    }
    expect(await target.count()).toEqual(before);
    await expectToWork(target);
  });
});

function isJson(bytes: Buffer): boolean {
  if (bytes.length === 0) return true;
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
