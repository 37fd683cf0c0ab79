import { describe, expect, it } from 'vitest';
import { Floors, type Position } from '../../src/backends/postgres/floors.ts';
import { DrivenRuntime } from '../../src/testing/driven-runtime.ts';

const BEGINNING: Position = { runAt: -1, seq: 0 };
const HORIZON = 5000;
const [ONE, OTHER] = [100, 101];

function createFloors() {
  const runtime = new DrivenRuntime();
  const floors = new Floors(runtime);
  const observe = (taken: Readonly<Record<number, Position>>, isFull: boolean, horizon = HORIZON): void => {
    const lastTaken = new Map(Object.entries(taken).map(([lane, last]) => [Number(lane), last]));
    floors.observe({ lanes: [ONE, OTHER], lastTaken, isFull, horizon });
  };
  return { runtime, floors, observe, begin: () => floors.begin([ONE, OTHER]) };
}

describe('a claim begins', () => {
  it('at the beginning of lanes of which nothing is known', () => {
    expect(createFloors().begin()).toEqual([BEGINNING, BEGINNING]);
  });

  it('behind the last job that was taken, where more may be due', () => {
    const { observe, begin } = createFloors();
    begin();
    observe({ [ONE]: { runAt: 70, seq: 9 } }, true);
    expect(begin()).toEqual([{ runAt: 70, seq: 9 }, BEGINNING]);
  });

  it('at the horizon at the latest: what is due later may not have been committed', () => {
    const { observe, begin } = createFloors();
    begin();
    observe({ [ONE]: { runAt: HORIZON + 1, seq: 9 } }, true);
    expect(begin()).toEqual([{ runAt: HORIZON, seq: 0 }, BEGINNING]);
  });

  it('at the horizon in every lane, once nothing more was due', () => {
    const { observe, begin } = createFloors();
    begin();
    observe({ [ONE]: { runAt: 70, seq: 9 } }, false);
    expect(begin()).toEqual([
      { runAt: HORIZON, seq: 0 },
      { runAt: HORIZON, seq: 0 },
    ]);
  });

  it('no earlier because of the answer of an earlier claim that comes late', () => {
    const { observe, begin } = createFloors();
    begin();
    observe({ [ONE]: { runAt: 70, seq: 9 } }, true);
    observe({ [ONE]: { runAt: 70, seq: 3 } }, true);
    observe({ [ONE]: { runAt: 69, seq: 30 } }, true);
    expect(begin()[0]).toEqual({ runAt: 70, seq: 9 });
  });

  it('at the beginning again every second, and when it is told to forget', async () => {
    const { runtime, floors, observe, begin } = createFloors();
    begin();
    observe({}, false);
    await runtime.advance(999);
    expect(begin()[0]).not.toEqual(BEGINNING);
    await runtime.advance(1);
    expect(begin()[0]).toEqual(BEGINNING);
    observe({}, false);
    expect(begin()[0]).not.toEqual(BEGINNING);
    floors.forget();
    expect(begin()[0]).toEqual(BEGINNING);
  });

  it('at the beginning for a fiftieth of the time at most, however long that takes', async () => {
    const { runtime, floors, observe, begin } = createFloors();
    begin();
    await runtime.advance(400);
    observe({}, false);
    floors.forget();
    await runtime.advance(19_999);
    expect(begin()[0]).not.toEqual(BEGINNING);
    await runtime.advance(1);
    expect(begin()[0]).toEqual(BEGINNING);
  });
});
