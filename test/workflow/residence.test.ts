import { expect, test } from 'vitest';
import { Residence } from '../../src/workflow/residence.ts';

/** A workflow without a slot, and what it asks for. */
function createParked() {
  const asked: (() => void)[] = [];
  let changes = 0;
  const residence = new Residence({
    host: { park: () => {}, unpark: (goOn) => asked.push(goOn) },
    onChange: () => changes++,
    isOver: () => false,
  });
  residence.park(1000);
  return { residence, asked, changes: () => changes };
}

test('however much waits for a slot, it is asked for once, and all goes on in order when it is there', () => {
  const { residence, asked, changes } = createParked();
  const gone: number[] = [];
  for (let i = 0; i < 50_000; i++) residence.withSlot(() => gone.push(i));
  expect(asked).toHaveLength(1);
  expect(residence).toMatchObject({ isParked: true, isUnparking: true });
  asked[0]?.();
  expect(residence).toMatchObject({ isParked: false, isUnparking: false });
  expect(gone).toEqual(Array.from({ length: 50_000 }, (_, i) => i));
  expect(changes()).toBe(1);
});

test('with a slot it goes on at once, and one that was given back is asked for again', () => {
  const { residence, asked } = createParked();
  residence.withSlot(() => {});
  asked[0]?.();
  let count = 0;
  residence.withSlot(() => count++);
  expect(count).toBe(1);
  residence.park(1000);
  residence.withSlot(() => count++);
  expect(count).toBe(1);
  expect(asked).toHaveLength(2);
});
