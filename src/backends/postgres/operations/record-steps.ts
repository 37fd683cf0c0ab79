import type { NewStep, RecordStepsResult, StepRecording } from '../../../core/step-operations.ts';
import type { NewJob } from '../../../core/storage.ts';
import { arrayLiteral } from '../array-literal.ts';
import type { Lanes } from '../lanes.ts';
import { asBuffer } from '../payload-column.ts';
import type { Query, Row, Value } from '../query.ts';
import { columnsOf, type EnqueueSettings } from './enqueue.ts';
import { leaseColumns } from './settle.ts';

export function childrenOf(recordings: readonly StepRecording[]): NewJob[] {
  return recordings.flatMap(({ steps }) => steps.map(({ child }) => child).filter((child) => child !== null));
}

/** Adds steps, all or none. The recordings are of one job each: see `planByJob`. */
export function recordStepsQuery(recordings: readonly StepRecording[], lanes: Lanes, settings: EnqueueSettings): Query {
  const children = childrenOf(recordings);
  return {
    name: 'record_steps',
    text: `select kind, place, job_id from {schema}.record_steps($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
      $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)`,
    values: [
      ...leaseColumns(recordings),
      arrayLiteral(recordings.map(({ from }) => from)),
      arrayLiteral(recordings.map(({ steps }) => steps.length)),
      ...stepColumns(recordings),
      arrayLiteral(children.map(({ id }) => id)),
      arrayLiteral(children.map(({ name, priority }) => lanes.idOf(name, priority))),
      ...columnsOf(children),
      arrayLiteral(recordings.flatMap(({ lease, steps }) => steps.filter(hasChild).map(() => lease.jobId))),
      settings.commit,
      settings.lockTimeoutMs,
    ],
  };
}

/** Of each step its recording, its number, its child by their places, and its body. */
function stepColumns(recordings: readonly StepRecording[]): Value[] {
  const places: number[] = [];
  const numbers: number[] = [];
  const children: (number | null)[] = [];
  const starts: number[] = [];
  const bodies: Buffer[] = [];
  let childCount = 0;
  let end = 1;
  for (const [index, { from, steps }] of recordings.entries()) {
    for (const [i, step] of steps.entries()) {
      places.push(index + 1);
      numbers.push(from + i);
      children.push(hasChild(step) ? ++childCount : null);
      starts.push(end);
      bodies.push(asBuffer(step.body));
      end += step.body.length;
    }
  }
  return [
    arrayLiteral(places),
    arrayLiteral(numbers),
    arrayLiteral(children),
    arrayLiteral(starts),
    arrayLiteral(bodies.map(({ length }) => length)),
    Buffer.concat(bodies),
  ];
}

function hasChild({ child }: NewStep): boolean {
  return child !== null;
}

/** What a statement made of its recordings, by position: null where one may be tried again, without those that may not. */
export function readRecorded(recordings: readonly StepRecording[], rows: readonly Row[]): (RecordStepsResult | null)[] {
  const isStored = rows.every(([kind]) => kind === 'known');
  return isStored ? readStored(recordings, rows) : readRefused(recordings, rows);
}

/** The rows name the jobs that had the key of a child, whose place from 1 they have. */
function readStored(recordings: readonly StepRecording[], rows: readonly Row[]): RecordStepsResult[] {
  const known = new Map(rows.map(([, place, jobId]) => [Number(place), jobId as string]));
  let childCount = 0;
  return recordings.map(({ steps }): RecordStepsResult => {
    const jobIds = steps.map(({ child }) => (child === null ? null : (known.get(++childCount) ?? child.id)));
    return { status: 'recorded', jobIds };
  });
}

function readRefused(recordings: readonly StepRecording[], rows: readonly Row[]): (RecordStepsResult | null)[] {
  const kinds = new Map<number, string>();
  const jobIds = recordings.map((): (string | null)[] => []);
  for (const [kind, place, jobId] of rows) {
    if (kind === 'step') jobIds[Number(place) - 1]?.push(jobId ?? null);
    else kinds.set(Number(place), kind as string);
  }
  return jobIds.map((ofRecording, index) => {
    const kind = kinds.get(index + 1);
    if (kind === 'fresh') return null;
    return kind === 'repeated' ? { status: 'recorded', jobIds: ofRecording } : { status: 'lease_lost' };
  });
}
