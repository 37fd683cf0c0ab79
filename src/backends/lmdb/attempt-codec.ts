import type { AttemptRecord } from '../../core/job.ts';
import { packRecord, unpackRecord } from '../../core/payload.ts';

const OUTCOMES = ['failed', 'lost'] as const satisfies readonly AttemptRecord['outcome'][];

export function encodeAttempt(record: AttemptRecord): Buffer {
  const { name, message, stack } = record.error;
  return packRecord([
    record.attempt,
    OUTCOMES.indexOf(record.outcome),
    record.workerId,
    record.startedAt,
    record.endedAt,
    name,
    message,
    stack,
  ]);
}

export function decodeAttempt(bytes: Buffer): AttemptRecord {
  const fields = unpackRecord(bytes) as [number, number, string, number, number, string, string, string | null];
  return {
    attempt: fields[0],
    outcome: OUTCOMES[fields[1]] as AttemptRecord['outcome'],
    workerId: fields[2],
    startedAt: fields[3],
    endedAt: fields[4],
    error: { name: fields[5], message: fields[6], stack: fields[7] },
  };
}
