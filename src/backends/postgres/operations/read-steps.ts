import type { GetSignalsParams, GetStepsParams, StoredSignal, StoredStep } from '../../../core/step-operations.ts';
import { readBytea, readPayload } from '../payload-column.ts';
import type { Query, Row } from '../query.ts';

/** A page has no more once it has so many bytes. */
const PAGE_BYTES = 8_388_608;

export function getStepsQuery({ jobId, from, limit }: GetStepsParams): Query {
  return {
    name: 'get_steps',
    text: 'select child_id, body from {schema}.get_steps($1, $2, $3, $4)',
    values: [jobId, from, limit, PAGE_BYTES],
  };
}

export function readStep([childId, body]: Row): StoredStep {
  return { jobId: childId ?? null, body: readBytea(body as string) };
}

export function getSignalsQuery({ jobId, from, limit }: GetSignalsParams): Query {
  return {
    name: 'get_signals',
    text: 'select name, payload_is_json, payload from {schema}.get_signals($1, $2, $3, $4)',
    values: [jobId, from, limit, PAGE_BYTES],
  };
}

export function readSignal([name, isJson, payload]: Row): StoredSignal {
  return {
    name: readBytea(name as string).toString(),
    payload: typeof isJson === 'string' ? readPayload(isJson, payload as string) : null,
  };
}
