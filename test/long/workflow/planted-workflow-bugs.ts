import { packStep, unpackStep } from '../../../src/core/step.ts';
import type {
  NewStep,
  RecordStepsParams,
  RecordStepsResult,
  StepRecording,
} from '../../../src/core/step-operations.ts';
import type { Storage } from '../../../src/core/storage.ts';

/**
 * Planted bugs, which the checker has to find. `early-record`: what is recorded is acknowledged before it is stored.
 * `lost-step`: the result of a step is acknowledged and forgotten. `no-replay`: what is remembered is not told, once.
 */
export type WorkflowBug = 'early-record' | 'lost-step' | 'no-replay';

/** The life that has it: an honest one, before or after, shows what came of it. */
export const BUG_IN_LIFE: Readonly<Record<WorkflowBug, number>> = { 'early-record': 1, 'lost-step': 1, 'no-replay': 2 };

const LATE_MS = 50;

/** Where a process that dies meets the bug: the step before is acknowledged. */
export const KILLED_WITH_BUG_AT = 'label is told';

export function plantWorkflowBug(storage: Storage, bug: WorkflowBug): Partial<Storage> {
  switch (bug) {
    case 'early-record':
      return { recordSteps: createEarlyRecorder(storage) };
    case 'lost-step':
      return { recordSteps: createLosingRecorder(storage) };
    case 'no-replay':
      return { getSteps: createForgetfulReader(storage) };
  }
}

/** As many steps as there are, since fewer would be noticed and read again. */
function createForgetfulReader(storage: Pick<Storage, 'getSteps'>): Storage['getSteps'] {
  const nothing = packStep({ phase: 'forgotten' });
  let reads = 0;
  return async (params) => {
    const steps = await storage.getSteps(params);
    return reads++ === 0 ? steps.map((step) => ({ ...step, body: nothing, jobId: null })) : steps;
  };
}

type Recorder = Storage['recordSteps'];

/** Children are waited for: without them there is nothing to wait for. */
function createEarlyRecorder(storage: Pick<Storage, 'recordSteps'>): Recorder {
  let last: Promise<unknown> = Promise.resolve();
  return async (params) => {
    const before = last;
    const steps = params.recordings.flatMap((recording) => recording.steps);
    if (steps.some(({ child }) => child !== null)) {
      await before;
      return storage.recordSteps(params);
    }
    last = before
      .then(() => new Promise((resolve) => setTimeout(resolve, LATE_MS)))
      .then(() => storage.recordSteps(params))
      .catch(() => {});
    return params.recordings.map((recording) => ({
      status: 'recorded',
      jobIds: recording.steps.map(() => null),
    }));
  };
}

function createLosingRecorder(storage: Pick<Storage, 'recordSteps'>): Recorder {
  const lostCounts = new Map<string, number>();
  const recordMost = async (recording: StepRecording): Promise<RecordStepsResult> => {
    const { lease } = recording;
    const lost = lostCounts.get(lease.token) ?? 0;
    const kept = recording.steps.filter((step) => !isResultOfStep(step));
    lostCounts.set(lease.token, lost + recording.steps.length - kept.length);
    const rest: RecordStepsParams = { recordings: [{ lease, from: recording.from - lost, steps: kept }] };
    const [result] = await storage.recordSteps(rest);
    if (result?.status !== 'recorded') return { status: 'lease_lost' };
    const ids = [...result.jobIds];
    return {
      status: 'recorded',
      jobIds: recording.steps.map((step) => (kept.includes(step) ? (ids.shift() ?? null) : null)),
    };
  };
  return ({ recordings }) => Promise.all(recordings.map(recordMost));
}

function isResultOfStep({ body }: NewStep): boolean {
  const step = unpackStep(body);
  return step.phase === 'ended' && step.operation === 'step';
}
