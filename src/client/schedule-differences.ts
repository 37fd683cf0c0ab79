import type { JobOptions } from '../core/options.ts';
import type { Payload } from '../core/payload.ts';
import { ruleOf, type ScheduleDefinition } from '../core/schedule-record.ts';

/** In what a schedule differs from what is wanted of it, for a message; null if in nothing. */
export function describeDifferences(stored: ScheduleDefinition, wanted: ScheduleDefinition): string | null {
  const differences = [
    ...describeFields(flatten(stored), flatten(wanted)),
    ...(isSamePayload(stored.args, wanted.args) ? [] : ['other arguments']),
  ];
  return differences.length === 0 ? null : differences.join(', ');
}

type Fields = Omit<ReturnType<typeof ruleOf>, 'options'> & JobOptions;

function flatten(definition: ScheduleDefinition): Fields {
  const { options, ...rest } = ruleOf(definition);
  return { ...rest, ...options };
}

function describeFields(stored: Fields, wanted: Fields): string[] {
  return (Object.keys(wanted) as (keyof Fields)[])
    .filter((key) => stored[key] !== wanted[key])
    .map((key) => `${key} is ${JSON.stringify(stored[key])}, not ${JSON.stringify(wanted[key])}`);
}

function isSamePayload(a: Payload, b: Payload): boolean {
  return a.encoding === b.encoding && Buffer.compare(a.bytes, b.bytes) === 0;
}
