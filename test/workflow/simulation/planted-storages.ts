import { type EndedStep, packStep, type StepRecord, unpackStep } from '../../../src/core/step.ts';
import type { GetStepsParams, RecordStepsParams, StoredStep } from '../../../src/core/step-operations.ts';
import type { SettleParams, Storage } from '../../../src/core/storage.ts';

/** Storages that do not keep what a workflow relies on. The simulation has to notice each of them. */
export const PLANTED_STORAGES: Readonly<Record<string, (inner: Storage) => Storage>> = {
  'forgets in which order handlers were told': (inner) =>
    rewriteSteps(inner, (step) => ({ ...step, order: step.position })),
  'forgets the last thing that a job was told': (inner) =>
    rewriteSteps(inner, (step, isLast) => (isLast ? { phase: 'forgotten' } : step)),
  'takes steps of attempts whose lease is lost': (inner) =>
    replace(inner, {
      recordSteps: async (params: RecordStepsParams) => {
        const results = await inner.recordSteps(params);
        return results.map((result, i) => {
          const steps = params.recordings[i]?.steps ?? [];
          const jobIds = steps.map(({ child }) => child?.id ?? null);
          return result.status === 'recorded' ? result : { status: 'recorded' as const, jobIds };
        });
      },
    }),
  'forgets what suspended jobs wait for': (inner) =>
    replace(inner, {
      settle: (params: SettleParams) => {
        const settlements = params.settlements.map(({ lease, outcome }) => ({
          lease,
          outcome: outcome.kind === 'suspend' ? { ...outcome, awaits: [] } : outcome,
        }));
        return inner.settle({ settlements });
      },
    }),
};

function rewriteSteps(inner: Storage, rewrite: (step: EndedStep, isLast: boolean) => StepRecord): Storage {
  const rewriteBody = (stored: StoredStep, isLast: boolean): StoredStep => {
    const step = unpackStep(stored.body);
    return step.phase === 'ended' ? { ...stored, body: packStep(rewrite(step, isLast)) } : stored;
  };
  return replace(inner, {
    getSteps: async (params: GetStepsParams) => {
      const steps = await inner.getSteps(params);
      return steps.map((step, i) => rewriteBody(step, i === steps.length - 1));
    },
  });
}

function replace(inner: Storage, methods: Partial<Storage>): Storage {
  return new Proxy(inner, {
    get: (target, key) => {
      const member: unknown = Reflect.get(methods, key) ?? Reflect.get(target, key);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
