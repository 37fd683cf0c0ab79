import type { JobOptions } from '../core/options.ts';
import type { Payload } from '../core/payload.ts';
import { ruleOf, type ScheduleDefinition, type ScheduleRule } from '../core/schedule-record.ts';

/** Fields of a definition, those of its options among them. */
type Fields = Omit<ScheduleRule, 'options'> & JobOptions;
export type DefinitionKey = keyof Fields;

/** In what a schedule differs from what is wanted of it, `unsaid` apart, for a message; null if in nothing. */
export function describeDifferences(
  stored: ScheduleDefinition,
  wanted: ScheduleDefinition,
  unsaid: readonly DefinitionKey[],
): string | null {
  const differences = [
    ...describeFields(flatten(stored), flatten(wanted), unsaid),
    ...(isSamePayload(stored.args, wanted.args) ? [] : ['other arguments']),
  ];
  return differences.length === 0 ? null : differences.join(', ');
}

function flatten(definition: ScheduleDefinition): Fields {
  const { options, ...rest } = ruleOf(definition);
  return { ...rest, ...options };
}

function describeFields(stored: Fields, wanted: Fields, unsaid: readonly DefinitionKey[]): string[] {
  return (Object.keys(wanted) as DefinitionKey[])
    .filter((key) => !unsaid.includes(key) && spell(key, stored[key]) !== spell(key, wanted[key]))
    .map((key) => `${key} is ${JSON.stringify(stored[key])}, not ${JSON.stringify(wanted[key])}`);
}

/** Neither case nor white space makes another time or zone of it. */
function spell(key: DefinitionKey, value: Fields[DefinitionKey]): unknown {
  if (key !== 'cron' && key !== 'timezone') return value;
  return String(value).trim().replace(/\s+/g, ' ').toLowerCase();
}

function isSamePayload(a: Payload, b: Payload): boolean {
  return a.encoding === b.encoding && Buffer.compare(a.bytes, b.bytes) === 0;
}
