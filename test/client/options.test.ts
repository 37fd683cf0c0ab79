import { describe, expect, test } from 'vitest';
import { MemoryStorage } from '../../src/backends/memory/memory-storage.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import { Reseolio, type ReseolioOptions, type Runtime, type Storage } from '../../src/index.ts';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';
import { trackStorage } from '../../src/testing/track-storage.ts';
import { withCode } from './client-fixture.ts';

describe('new Reseolio', () => {
  test('needs no options', () => {
    expect(() => new Reseolio()).not.toThrow();
  });

  test.each<ReseolioOptions>([
    { storage: new MemoryStorage({ runtime: createSystemRuntime() }) },
    { workerConcurrency: 0 },
    { workerConcurrency: 10_000, durability: 'relaxed', leaseMs: 100, shutdownGraceMs: 0, maxPayloadBytes: 1 },
    { retention: {} },
    { retention: { success: 0, dead: null, cancelled: 3_660 * 86_400_000 } },
    { leaseMs: undefined } as unknown as ReseolioOptions,
  ])('takes %o', (options) => {
    expect(() => new Reseolio(options)).not.toThrow();
  });

  test.each<[string, unknown]>([
    ['a string for options', 'lmdb://./reseolio'],
    ['null for options', null],
    ['an array for options', []],
    ['an unknown key', { concurrency: 5 }],
    ['a storage that is a number', { storage: 5 }],
    ['a storage that is null', { storage: null }],
    ['a storage that lacks methods', { storage: { enqueue() {}, claim() {} } }],
    ['a negative concurrency', { workerConcurrency: -1 }],
    ['half a slot', { workerConcurrency: 1.5 }],
    ['a concurrency beyond the limit', { workerConcurrency: 10_001 }],
    ['a concurrency that is text', { workerConcurrency: '5' }],
    ['an unknown durability', { durability: 'fast' }],
    ['a lease that is too short', { leaseMs: 99 }],
    ['a lease that is NaN', { leaseMs: Number.NaN }],
    ['a lease that is too long', { leaseMs: 3_600_001 }],
    ['a negative grace time', { shutdownGraceMs: -1 }],
    ['an endless grace time', { shutdownGraceMs: Number.POSITIVE_INFINITY }],
    ['a retention that is text', { retention: '7d' }],
    ['a retention time that is text', { retention: { success: '7d' } }],
    ['a negative retention time', { retention: { dead: -1 } }],
    ['retention of a state that does not finish', { retention: { pending: 5 } }],
    ['a payload limit of 0', { maxPayloadBytes: 0 }],
    ['a payload limit beyond a batch', { maxPayloadBytes: 67_108_865 }],
    ['a runtime that lacks methods', { runtime: { now: () => 0 } }],
  ])('refuses %s', (_title, options) => {
    expect(() => new Reseolio(options as ReseolioOptions)).toThrow(expect.objectContaining(withCode('invalid_option')));
  });

  const wholeRuntime = createSystemRuntime();
  const wholeStorage = trackStorage(new MemoryStorage({ runtime: wholeRuntime }), new DrivenRuntime());

  test.each(Object.keys(wholeStorage))('refuses a storage without %s', (method) => {
    const storage = { ...wholeStorage, [method]: undefined } as unknown as Storage;
    expect(() => new Reseolio({ storage })).toThrow(expect.objectContaining(withCode('invalid_option')));
  });

  test.each(Object.keys(wholeRuntime))('refuses a runtime without %s', (method) => {
    const runtime = { ...wholeRuntime, [method]: undefined } as unknown as Runtime;
    expect(() => new Reseolio({ runtime })).toThrow(expect.objectContaining(withCode('invalid_option')));
  });

  test('names the option that is wrong', () => {
    expect(() => new Reseolio({ retention: { success: -5 } })).toThrow('retention.success is -5');
    expect(() => new Reseolio({ concurrency: 5 } as ReseolioOptions)).toThrow('"concurrency" is unknown');
  });
});
