import { CHILDREN, EFFECTS, FAILED_CHILD, WORKFLOW_VERSION } from './order-plan.ts';
import type { Ending, TrailEntry } from './trail.ts';

/**
 * What is wrong with the lives of a workflow that has ended. Right is: each side effect came about, at most once in a life,
 * and never after the handler was told; what the handler was told was the same each time, and the result says so.
 */
export function findTrailErrors(trail: readonly TrailEntry[]): string[] {
  const ending = trail.find((entry) => entry.kind === 'ended')?.ending;
  if (ending === undefined) return ['the workflow did not end'];
  return [
    ...findDoubled(trail),
    ...findChangedAnswers(trail),
    ...findMissing(trail),
    ...findWrongResult(trail, ending),
    ...findWrongChildren(trail, ending),
  ];
}

/** The points at which the lives were ended. */
export function killsOf(trail: readonly TrailEntry[]): string[] {
  return trail.flatMap((entry) => (entry.kind === 'killed' ? entry.point : []));
}

function findDoubled(trail: readonly TrailEntry[]): string[] {
  const errors: string[] = [];
  const toldIn = new Map<string, number>();
  const seen = new Set<string>();
  for (const entry of trail) {
    if (entry.kind === 'told' && !toldIn.has(entry.name)) toldIn.set(entry.name, entry.life);
    if (entry.kind !== 'effect') continue;
    const { name, life, jobId } = entry;
    const told = toldIn.get(name);
    if (told !== undefined) errors.push(`"${name}" happened in life ${life}, and the handler knew it in life ${told}`);
    const key = `${name} ${jobId} ${life}`;
    if (seen.has(key)) errors.push(`"${name}" happened twice in life ${life}, with no kill between`);
    seen.add(key);
  }
  return errors;
}

function findChangedAnswers(trail: readonly TrailEntry[]): string[] {
  const errors: string[] = [];
  const answers = new Map<string, string>();
  for (const entry of trail) {
    if (entry.kind !== 'told' || mayBeCalledAnew(entry.name)) continue;
    const answer = JSON.stringify(entry.value);
    const before = answers.get(entry.name) ?? answer;
    if (answer !== before) errors.push(`"${entry.name}" came to ${before}, and in life ${entry.life} to ${answer}`);
    answers.set(entry.name, answer);
  }
  return errors;
}

/** A child that ended dead is, by a parent that had not gone on from it. */
function mayBeCalledAnew(name: string): boolean {
  return name === `call of ${FAILED_CHILD}`;
}

function findMissing(trail: readonly TrailEntry[]): string[] {
  const happened = new Set(trail.flatMap((entry) => (entry.kind === 'effect' ? entry.name : [])));
  return [...EFFECTS, FAILED_CHILD].flatMap((name) => (happened.has(name) ? [] : [`"${name}" never happened`]));
}

function findWrongResult(trail: readonly TrailEntry[], { result }: Ending): string[] {
  const told = new Map(trail.flatMap((entry) => (entry.kind === 'told' ? [[entry.name, entry.value]] : [])));
  const right: Record<string, unknown> = { version: WORKFLOW_VERSION, approved: told.get('approved') };
  for (const name of EFFECTS) right[name] = told.get(name);
  const errors = Object.keys(right).flatMap((name) => {
    const got = (result as Record<string, unknown> | null)?.[name];
    return got !== undefined && got === right[name]
      ? []
      : [`the result says ${JSON.stringify(got)} of "${name}": right is ${JSON.stringify(right[name])}`];
  });
  if (typeof result !== 'object') errors.push(`the result is ${JSON.stringify(result)}`);
  return errors;
}

function findWrongChildren(trail: readonly TrailEntry[], { children }: Ending): string[] {
  const errors: string[] = [];
  const counts = new Map<string, number>();
  for (const name of children) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, right] of Object.entries(CHILDREN)) {
    const count = counts.get(name) ?? 0;
    if (count !== right) errors.push(`${count} children "${name}" were made: right is ${right}`);
  }
  const failed = counts.get(FAILED_CHILD) ?? 0;
  const most = killsOf(trail).length + 1;
  if (failed === 0 || failed > most)
    errors.push(`${failed} children "${FAILED_CHILD}" were made: right is 1 to ${most}`);
  return errors;
}
