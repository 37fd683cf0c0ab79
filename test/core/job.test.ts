import { describe, expect, it } from 'vitest';
import {
  FINISHED_STATES,
  isFinished,
  JOB_EVENTS,
  JOB_STATES,
  lostAttemptError,
  nextState,
  reclaimEvent,
  TRANSITIONS,
} from '../../src/core/job.ts';

/** Every pair, written out once more: rows are states, columns the events in the order of JOB_EVENTS. */
const EXPECTED = {
  //          claim      succeed    fail       die     release    suspend    stop         cancel       retry
  pending: ['running', null, null, null, null, null, null, 'cancelled', null],
  running: [null, 'success', 'pending', 'dead', 'pending', 'pending', 'cancelled', null, null],
  success: [null, null, null, null, null, null, null, null, null],
  dead: [null, null, null, null, null, null, null, null, 'pending'],
  cancelled: [null, null, null, null, null, null, null, null, null],
} as const;

describe('transitions', () => {
  it('are these and no others', () => {
    expect(JOB_EVENTS).toEqual(['claim', 'succeed', 'fail', 'die', 'release', 'suspend', 'stop', 'cancel', 'retry']);
    expect(Object.keys(TRANSITIONS)).toEqual([...JOB_STATES]);
    for (const state of JOB_STATES) {
      expect(
        JOB_EVENTS.map((event) => nextState(state, event)),
        state,
      ).toEqual(EXPECTED[state]);
    }
  });

  it('lead to every state and out of all but success and cancelled', () => {
    const reached = new Set(JOB_STATES.flatMap((state) => Object.values(TRANSITIONS[state])));
    expect([...reached].sort()).toEqual([...JOB_STATES].sort());
    const ends = JOB_STATES.filter((state) => Object.keys(TRANSITIONS[state]).length === 0);
    expect(ends).toEqual(['success', 'cancelled']);
  });
});

describe('finished states', () => {
  it('are success, dead and cancelled', () => {
    expect(JOB_STATES.filter(isFinished)).toEqual([...FINISHED_STATES]);
  });
});

describe('a lost attempt', () => {
  it('counts: the job goes on while attempts are left', () => {
    expect([1, 2, 3, 4].map((attempt) => reclaimEvent(attempt, 3, false))).toEqual(['fail', 'fail', 'die', 'die']);
    expect(reclaimEvent(1, 1, false)).toBe('die');
  });

  it('ends a job that was asked to stop, whatever attempts are left', () => {
    expect([1, 2, 3].map((attempt) => reclaimEvent(attempt, 2, true))).toEqual(['stop', 'stop', 'stop']);
  });

  it('is recorded with the worker that was lost', () => {
    expect(lostAttemptError('worker-7')).toEqual({
      name: 'AttemptLostError',
      message: expect.stringContaining('worker-7'),
      stack: null,
    });
  });
});
