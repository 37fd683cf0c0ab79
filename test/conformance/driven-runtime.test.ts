import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MAX_TIMER_MS } from '../../src/core/runtime.ts';
import { createMemoryHarness, DrivenRuntime, trackStorage } from '../../src/testing/index.ts';

describe('the driven runtime', () => {
  it('has a clock that only advance moves', async () => {
    const runtime = new DrivenRuntime({ startAt: 1000 });
    await runtime.drain();
    expect(runtime.now()).toBe(1000);
    await runtime.advance(0.5);
    expect(runtime.now()).toBe(1000.5);
    await expect(runtime.advance(-1)).rejects.toThrow(RangeError);
    await expect(runtime.advance(Number.NaN)).rejects.toThrow(RangeError);
  });

  it('fires timers in the order they are due, at their time, ties as they were set', async () => {
    const runtime = new DrivenRuntime({ startAt: 0 });
    const fired: [string, number][] = [];
    for (const [name, delayMs] of [
      ['c', 20],
      ['a', 5],
      ['d', 20],
      ['b', 10],
      ['late', 31],
    ] as const) {
      runtime.setTimer(delayMs, () => fired.push([name, runtime.now()]));
    }
    await runtime.advance(30);
    expect(fired).toEqual([
      ['a', 5],
      ['b', 10],
      ['c', 20],
      ['d', 20],
    ]);
    expect([runtime.now(), runtime.pendingTimers]).toEqual([30, 1]);
  });

  it('lets promises run between timers, and fires the timers that they set', async () => {
    const runtime = new DrivenRuntime({ startAt: 0 });
    const ticks: number[] = [];
    const loop = async (): Promise<void> => {
      while (ticks.length < 5) {
        await new Promise<void>((resolve) => runtime.setTimer(10, resolve));
        await new Promise<void>((resolve) => runtime.setImmediate(resolve));
        ticks.push(runtime.now());
      }
    };
    const done = loop();
    await runtime.advance(1000);
    expect(ticks).toEqual([10, 20, 30, 40, 50]);
    await done;
  });

  it('does not fire what was cancelled, also by a timer before it', async () => {
    const runtime = new DrivenRuntime();
    const fired: string[] = [];
    const second = runtime.setTimer(5, () => fired.push('second'));
    runtime.setTimer(5, () => fired.push('third'));
    runtime.setTimer(1, () => second.cancel());
    await runtime.advance(10);
    second.cancel();
    expect([fired, runtime.pendingTimers]).toEqual([['third'], 0]);
  });

  it('holds timers no longer than Node does', async () => {
    const runtime = new DrivenRuntime({ startAt: 0 });
    let firedAt: number | null = null;
    runtime.setTimer(MAX_TIMER_MS * 2, () => {
      firedAt = runtime.now();
    });
    await runtime.advance(MAX_TIMER_MS);
    expect(firedAt).toBe(MAX_TIMER_MS);
  });

  it('runs immediates by itself, in order, those set by others a turn later', async () => {
    const runtime = new DrivenRuntime();
    const ran = await new Promise<string[]>((resolve) => {
      const order: string[] = [];
      runtime.setImmediate(() => {
        order.push('first');
        runtime.setImmediate(() => resolve([...order, 'third']));
      });
      runtime.setImmediate(() => order.push('second'));
    });
    expect(ran).toEqual(['first', 'second', 'third']);
  });

  it('waits for tracked I/O before and after the clock moves', async () => {
    const runtime = new DrivenRuntime();
    const read: number[] = [];
    const readOwnSource = async (): Promise<void> => {
      await runtime.track(readFile(new URL(import.meta.url)));
      read.push(runtime.now());
    };
    const startAt = runtime.now();
    void readOwnSource();
    runtime.setTimer(10, () => void readOwnSource());
    await runtime.advance(20);
    expect(read).toEqual([startAt, startAt + 10]);
  });

  it('waits for tracked I/O that fails', async () => {
    const runtime = new DrivenRuntime();
    const failed = runtime.track(readFile(new URL('./no-such-file', import.meta.url))).catch(() => 'failed');
    await runtime.advance(1);
    expect(await failed).toBe('failed');
  });

  it('rejects the advance in which a timer throws, and goes on', async () => {
    const runtime = new DrivenRuntime();
    runtime.setTimer(1, () => {
      throw new Error('from a timer');
    });
    await expect(runtime.advance(5)).rejects.toThrow('from a timer');
    await runtime.advance(5);
  });

  it('refuses to be advanced by two at once', async () => {
    const runtime = new DrivenRuntime();
    const first = runtime.advance(5);
    await expect(runtime.advance(5)).rejects.toThrow('before the one before it');
    await first;
  });

  it('draws the same from the same seed, evenly from 0 to 1', () => {
    const draw = (seed: number) => {
      const { random } = new DrivenRuntime({ seed });
      return Array.from({ length: 10_000 }, () => random());
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
    const drawn = draw(5);
    expect(drawn.every((number) => number >= 0 && number < 1)).toBe(true);
    const tenths = Array.from({ length: 10 }, (_, i) => drawn.filter((number) => Math.floor(number * 10) === i).length);
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  it('fills bytes from the seed', () => {
    const fill = (seed: number) => {
      const bytes = new Uint8Array(1000);
      new DrivenRuntime({ seed }).fillRandom(bytes);
      return bytes;
    };
    expect(fill(5)).toEqual(fill(5));
    expect(new Set(fill(5)).size).toBeGreaterThan(200);
  });
});

describe('a tracked storage', () => {
  it('answers as the storage does, and is awaited by advance', async () => {
    const runtime = new DrivenRuntime();
    const { storage } = await createMemoryHarness().open();
    const tracked = trackStorage(storage, runtime);
    let hasAnswered = false;
    void tracked.counts().then((counts) => {
      hasAnswered = counts.length === 0;
    });
    await runtime.advance(1);
    expect(hasAnswered).toBe(true);
    await tracked.close();
    await expect(storage.counts()).rejects.toThrow('closed');
  });
});
