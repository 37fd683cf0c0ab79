import { type EndedStep, type StepRecord, unpackStep } from '../../../src/core/step.ts';
import type { RecordStepsParams } from '../../../src/core/step-operations.ts';
import type { ClaimParams, ReclaimParams, SettleParams, Storage } from '../../../src/core/storage.ts';
import type { Trail } from './trail.ts';

/** `target` with some methods of its own. */
export function withMethods(target: Storage, methods: Partial<Storage>): Storage {
  return new Proxy(target, {
    get(_, key) {
      const method: unknown = Reflect.get(methods, key) ?? Reflect.get(target, key);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}

/** Every call that changes the storage or that a workflow goes on from: a life can end before, in, and after each. */
export function markCalls(storage: Storage, trail: Trail): Storage {
  const counts = new Map<string, number>();
  const numbered = (name: string): string => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return `storage: ${name} ${count}`;
  };
  const write = async <Result>(name: string, call: () => Promise<Result>, detail = ''): Promise<Result> => {
    const point = numbered(name);
    trail.pass(`${point} is called`, detail);
    const answer = call();
    setImmediate(() => trail.pass(`${point} is under way`, detail));
    const result = await answer;
    trail.pass(`${point} is answered`, detail);
    return result;
  };
  const read = async <Result>(name: string, call: () => Promise<Result>): Promise<Result> => {
    const result = await call();
    trail.pass(`${numbered(name)} is answered`);
    return result;
  };
  /** How often it is called in vain is up to chance. */
  const take = async <Result extends { readonly jobs: readonly unknown[] }>(
    name: string,
    call: () => Promise<Result>,
  ): Promise<Result> => {
    const result = await call();
    if (result.jobs.length > 0) trail.pass(`${numbered(name)} is answered`);
    return result;
  };
  return withMethods(storage, {
    enqueue: (params) => write('enqueue', () => storage.enqueue(params)),
    recordSteps: (params) => write('recordSteps', () => storage.recordSteps(params), describeSteps(params)),
    settle: (params) => write('settle', () => storage.settle(params), describeOutcomes(params)),
    signal: (params) => write('signal', () => storage.signal(params)),
    getSteps: (params) => read('getSteps', () => storage.getSteps(params)),
    getSignals: (params) => read('getSignals', () => storage.getSignals(params)),
    claim: (params: ClaimParams) => take('claim', () => storage.claim(params)),
    reclaimExpired: (params: ReclaimParams) => take('reclaimExpired', () => storage.reclaimExpired(params)),
  });
}

function describeSteps({ recordings }: Readonly<RecordStepsParams>): string {
  const steps = recordings.flatMap(({ steps }) => steps).map(({ body }) => unpackStep(body));
  return steps.map((step) => (step.phase === 'ended' ? step.operation : describeMark(step))).join(' + ');
}

function describeMark(step: Exclude<StepRecord, EndedStep>): string {
  return step.phase === 'begun' ? `${step.operation} begun` : 'failures forgotten';
}

function describeOutcomes({ settlements }: Readonly<SettleParams>): string {
  return settlements.map(({ outcome }) => outcome.kind).join(' + ');
}
