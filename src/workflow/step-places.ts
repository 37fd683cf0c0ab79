import type { StepPlace } from '../core/step.ts';

type Asked = Pick<StepPlace, 'operation' | 'name'>;

export function describeDifference(expected: StepPlace, asked: Asked): string {
  return `as request ${expected.position} of its handler the job remembers a ${describe(expected)}, and the handler asks for a ${describe(asked)}: give code that changes a version()`;
}

export function describeMissing(expected: StepPlace): string {
  return `the job remembers a ${describe(expected)} as request ${expected.position} of its handler, and the handler does not come to it: give code that changes a version()`;
}

function describe({ operation, name }: Asked): string {
  return name === '' ? operation : `${operation} ${JSON.stringify(name)}`;
}
