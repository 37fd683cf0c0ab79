import fc, { type IRawProperty } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../src/backends/memory/memory-storage.ts';
import type { JobRecord } from '../../src/core/job.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import type { Storage } from '../../src/core/storage.ts';
import { type FastCheck, runStorageModel } from '../../src/testing/describe-storage-model.ts';
import { createMemoryHarness } from '../../src/testing/memory-harness.ts';
import type { Rule } from '../../src/testing/rule-group.ts';
import type { StorageHarness } from '../../src/testing/storage-harness.ts';
import { runRule, STORAGE_RULES } from '../../src/testing/storage-rules.ts';
import { override } from './override-storage.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';
import { PLANTED_SCHEDULE_BUGS } from './planted-schedule-bugs.ts';
import { PLANTED_STEP_BUGS } from './planted-step-bugs.ts';
import { PLANTED_SUSPENSION_BUGS } from './planted-suspension-bugs.ts';
import { createSharedMemoryHarness } from './shared-memory-harness.ts';

const ALL_BUGS = { ...PLANTED_BUGS, ...PLANTED_SCHEDULE_BUGS, ...PLANTED_STEP_BUGS, ...PLANTED_SUSPENSION_BUGS };

/** That a storage fails is all that matters here: not with how few operations. */
const UNSHRUNK: FastCheck = {
  ...fc,
  assert: (property, params) => fc.assert(property as IRawProperty<unknown>, { ...params, endOnFailure: true }),
};

/** A fixed seed: a control that fails now and then would be no control. */
const MODEL = { fc: UNSHRUNK, runs: 200, seed: 20_260_101 };

const FORGETFUL = createSharedMemoryHarness({
  onReopen: (_: Storage, runtime: Runtime) => new MemoryStorage({ runtime }),
});

/** The rule that `topic: sentence` names. */
function findRule(name: string): Rule {
  const [topic, sentence] = name.split(/: (.*)/) as [string, string];
  const rule = findRules(topic)[sentence];
  if (rule === undefined) throw new Error(`no rule is called ${name}`);
  return rule;
}

function findRules(topic: string): Readonly<Record<string, Rule>> {
  const group = STORAGE_RULES.find((candidate) => candidate.topic === topic);
  if (group === undefined) throw new Error(`no rules on ${topic}`);
  return group.rules;
}

/** The sentences of `topic` that the storages of `harness` break. */
async function findBrokenRules(harness: StorageHarness, topic: string): Promise<string[]> {
  const broken: string[] = [];
  for (const [sentence, rule] of Object.entries(findRules(topic))) {
    await runRule(harness, rule).catch(() => broken.push(sentence));
  }
  return broken;
}

/** Reads each job once, as if no other process could change it. */
function cacheJobs(storage: Storage): Storage {
  const cache = new Map<string, JobRecord | null>();
  return override(storage, {
    getJobs: async ({ jobIds }) => {
      const jobs = await storage.getJobs({ jobIds });
      for (const [i, id] of jobIds.entries()) if (!cache.has(id)) cache.set(id, jobs[i] ?? null);
      return jobIds.map((id) => cache.get(id) ?? null);
    },
  });
}

describe('the suite notices a storage that', () => {
  for (const [bug, { plant, brokenRule }] of Object.entries(ALL_BUGS)) {
    it(bug, async () => {
      await expect(runRule(createMemoryHarness(plant), findRule(brokenRule))).rejects.toThrow();
    });
  }

  it('forgets everything when it is closed', async () => {
    expect(await findBrokenRules(FORGETFUL, 'persistence')).toEqual([
      'gives back everything as it was after it was closed and opened',
      'gives back schedules as they were, and fires them',
      'keeps the order of claims, and goes on with it',
      'keeps leases: they extend, settle and expire as before',
      'knows the repeat of a settle',
      'knows ids and idempotency keys',
      'wakes delayed jobs that became due while it was closed',
      'keeps what was called before close',
    ]);
  });

  it('forgets what jobs remember, wait for and were sent when it is closed', async () => {
    const topic = 'persistence of steps, suspensions and signals';
    expect(await findBrokenRules(FORGETFUL, topic)).toEqual(Object.keys(findRules(topic)));
  });

  it('answers from a cache that other processes do not know of', async () => {
    const caching = createSharedMemoryHarness({ wrapDoor: cacheJobs });
    const rule = findRule('several storages on the same jobs: see what the others did as soon as it has resolved');
    await expect(runRule(caching, rule)).rejects.toThrow();
  });

  it('never hints', async () => {
    const silent = createMemoryHarness((storage) => override(storage, { watch: () => () => {} }));
    const rule = findRule('watch: hints at work when jobs are enqueued');
    await expect(runRule(silent, rule)).rejects.toThrow('no such hint came');
  });
});

describe('random operations notice a storage that', { timeout: 120_000 }, () => {
  for (const [bug, { plant, isSeenByModel }] of Object.entries(ALL_BUGS)) {
    if (!isSeenByModel) continue;
    it(bug, async () => {
      await expect(runStorageModel(createMemoryHarness(plant), MODEL)).rejects.toThrow('Property failed');
    });
  }

  it('forgets everything when it is closed', async () => {
    await expect(runStorageModel(FORGETFUL, MODEL)).rejects.toThrow('Property failed');
  });
});
