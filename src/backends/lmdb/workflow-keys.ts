import { ID_BYTES, type JobId, type KeyRange, keyOfId, numberedKey, PREFIX, rangeOf, writeListOrder } from './keys.ts';

/** Ends as all list keys do. */
export function childKey(parentId: JobId, createdAt: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(1 + ID_BYTES + 14);
  key[0] = PREFIX.child;
  parentId.copy(key, 1);
  return writeListOrder(key, 1 + ID_BYTES, createdAt, sequence);
}

export function childRange(parentId: JobId): KeyRange {
  return rangeOf(keyOfId(PREFIX.child, parentId));
}

export function stepKey(id: JobId, number: number): Buffer {
  return numberedKey(PREFIX.step, id, number);
}

export function stepRange(id: JobId, from: number): KeyRange {
  return { start: stepKey(id, from), end: rangeOf(keyOfId(PREFIX.step, id)).end };
}

export function signalKey(id: JobId, number: number): Buffer {
  return numberedKey(PREFIX.signal, id, number);
}

export function signalRange(id: JobId, from: number): KeyRange {
  return { start: signalKey(id, from), end: rangeOf(keyOfId(PREFIX.signal, id)).end };
}

export function signalIdKey(id: JobId, signalId: Buffer): Buffer {
  return pairKey(PREFIX.signalId, id, signalId);
}

export function signalIdRange(id: JobId): KeyRange {
  return rangeOf(keyOfId(PREFIX.signalId, id));
}

export function awaitedKey(id: JobId): Buffer {
  return keyOfId(PREFIX.awaited, id);
}

export function waiterKey(awaitedId: JobId, waiterId: JobId): Buffer {
  return pairKey(PREFIX.waiter, awaitedId, waiterId);
}

export function waiterIdOf(key: Buffer): JobId {
  return key.subarray(1 + ID_BYTES);
}

export function waiterRange(awaitedId: JobId): KeyRange {
  return rangeOf(keyOfId(PREFIX.waiter, awaitedId));
}

function pairKey(prefix: number, first: Buffer, second: Buffer): Buffer {
  const key = Buffer.allocUnsafe(1 + 2 * ID_BYTES);
  key[0] = prefix;
  first.copy(key, 1);
  second.copy(key, 1 + ID_BYTES);
  return key;
}
