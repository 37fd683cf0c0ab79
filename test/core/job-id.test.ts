import { describe, expect, it } from 'vitest';
import { isJobId, JobIdGenerator } from '../../src/core/job-id.ts';
import { createSystemRuntime, type Runtime } from '../../src/core/runtime.ts';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The driven runtime with a clock that says what it is told. */
function runtimeAt(now: () => number, seed = 1): Runtime {
  const { monotonicNow, random, fillRandom, setTimer, setImmediate, afterPromises } = new DrivenRuntime({ seed });
  return { now, monotonicNow, random, fillRandom, setTimer, setImmediate, afterPromises };
}

function makeIds(generator: JobIdGenerator, count: number): string[] {
  return Array.from({ length: count }, () => generator.next());
}

function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}

describe('job ids', () => {
  it('are UUIDv7: time, version, counter, variant, random', () => {
    const now = 1_767_225_600_123;
    const id = new JobIdGenerator(runtimeAt(() => now)).next();
    expect(id).toMatch(UUID_V7);
    expect(timeOf(id)).toBe(now);
    expect(isJobId(id)).toBe(true);
  });

  it('keep their layout on a clock that reads fractions of a millisecond', () => {
    let now = 1_767_225_600_123.25;
    const generator = new JobIdGenerator(runtimeAt(() => (now += 0.3)));
    const ids = makeIds(generator, 100);
    for (const id of ids) expect(id).toMatch(UUID_V7);
    expect(ids).toEqual([...ids].sort());
    expect(timeOf(ids[0] as string)).toBe(1_767_225_600_123);
  });

  it('sort in the order they were made within one millisecond, however many', () => {
    const ids = makeIds(new JobIdGenerator(runtimeAt(() => 1_767_225_600_000)), 20_000);
    expect(ids).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(UUID_V7);
  });

  it('sort in the order they were made when the clock goes back', () => {
    const random = new DrivenRuntime({ seed: 7 });
    let now = 1_767_225_600_000;
    const clock = () => (now += Math.floor(random.random() * 20) - 10);
    const ids = makeIds(new JobIdGenerator(runtimeAt(clock)), 10_000);
    expect(ids).toEqual([...ids].sort());
  });

  it('follow the clock again once it has caught up', () => {
    let now = 2000;
    const generator = new JobIdGenerator(runtimeAt(() => now));
    generator.next();
    now = 1000;
    expect(timeOf(generator.next())).toBe(2000);
    now = 3000;
    expect(timeOf(generator.next())).toBe(3000);
  });

  it('are unique among 100 000 of one generator and of many on the system clock', () => {
    const runtime = createSystemRuntime();
    const generators = Array.from({ length: 10 }, () => new JobIdGenerator(runtime));
    const ids = new Set(makeIds(new JobIdGenerator(runtime), 100_000));
    for (const generator of generators) for (const id of makeIds(generator, 10_000)) ids.add(id);
    expect(ids.size).toBe(200_000);
  });

  it('follow from the seed and the clock', () => {
    const make = (seed: number) => makeIds(new JobIdGenerator(runtimeAt(() => 5000, seed)), 2000);
    expect(make(3)).toEqual(make(3));
    expect(make(3)).not.toEqual(make(4));
  });
});

describe('isJobId', () => {
  it('takes the canonical lower-case form alone', () => {
    const id = '01943b5e-7b00-7000-8000-0123456789ab';
    expect(isJobId(id)).toBe(true);
    for (const other of [
      id.toUpperCase(),
      ` ${id}`,
      `${id}\n`,
      id.slice(1),
      id.replaceAll('-', ''),
      `{${id}}`,
      '',
      null,
      7,
    ]) {
      expect(isJobId(other), String(other)).toBe(false);
    }
  });
});
