import { ID_BYTES, type KeyRange, keyOfId, PREFIX, rangeOf } from './keys.ts';

export type ScheduleId = Buffer;

export const SCHEDULE_TOTALS_KEY = Buffer.from([PREFIX.scheduleTotals]);

export function scheduleKey(id: ScheduleId): Buffer {
  return keyOfId(PREFIX.schedule, id);
}

export function scheduleNameKey(name: string): Buffer {
  return Buffer.concat([Buffer.from([PREFIX.scheduleName]), Buffer.from(name)]);
}

/** Those with nothing to come are the last of their state. */
export function scheduleOrderKey(stateCode: number, nextRunAt: number | null, id: ScheduleId): Buffer {
  const key = Buffer.allocUnsafe(10 + ID_BYTES);
  key[0] = PREFIX.scheduleOrder;
  key[1] = stateCode;
  key.writeDoubleBE(nextRunAt ?? Number.POSITIVE_INFINITY, 2);
  id.copy(key, 10);
  return key;
}

export function scheduleNextRun(orderKey: Buffer): number {
  return orderKey.readDoubleBE(2);
}

export function scheduleIdOf(orderKey: Buffer): ScheduleId {
  return orderKey.subarray(10);
}

export function scheduleOrderRange(stateCode: number): KeyRange {
  return rangeOf(Buffer.from([PREFIX.scheduleOrder, stateCode]));
}
