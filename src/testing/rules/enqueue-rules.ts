import assert from 'node:assert/strict';
import { DEFAULT_JOB_OPTIONS, type JobOptions } from '../../core/options.ts';
import { encodePayload } from '../../core/payload.ts';
import { comparablePayload, succeeded, UNTOUCHED } from '../rule-context.ts';
import type { RuleGroup } from '../rule-group.ts';

export const enqueueRules: RuleGroup = {
  topic: 'enqueue',
  needs: null,
  rules: {
    'stores a job as it was given, pending and due now': async (t) => {
      const args = encodePayload(['a@b.example', { n: 1.5 }], 'args');
      const options: JobOptions = {
        maxAttempts: 7,
        backoff: 'linear',
        initialDelayMs: 1.5,
        maxDelayMs: 9,
        timeoutMs: 77,
        jitter: 0.25,
      };
      const job = t.newJob({ name: 'mail:send', args, priority: -3, idempotencyKey: 'k', options });
      assert.deepEqual(await t.storage.enqueue({ jobs: [job] }), [{ jobId: job.id, deduplicated: false }]);
      assert.deepEqual(await t.job(job.id), {
        id: job.id,
        name: 'mail:send',
        state: 'pending',
        attempt: 0,
        options,
        priority: -3,
        idempotencyKey: 'k',
        occurrence: null,
        ...UNTOUCHED,
        createdAt: t.now(),
        runAt: t.now(),
        startedAt: null,
        finishedAt: null,
        workerId: null,
        leaseExpiresAt: null,
        error: null,
        args: comparablePayload(args),
        result: null,
      });
      assert.deepEqual(await t.attempts(job.id), []);
    },

    'keeps the options of each job apart': async (t) => {
      const [a, b] = (await t.enqueue({ options: { maxAttempts: 1 } }, { options: { maxAttempts: 10_000 } })) as [
        string,
        string,
      ];
      assert.deepEqual((await t.job(a)).options, { ...DEFAULT_JOB_OPTIONS, maxAttempts: 1 });
      assert.deepEqual((await t.job(b)).options, { ...DEFAULT_JOB_OPTIONS, maxAttempts: 10_000 });
    },

    'makes a job with delayMs due that much after its clock': async (t) => {
      await t.advance(1234);
      const [soon, later] = (await t.enqueue({ delayMs: 0 }, { delayMs: 500.5 })) as [string, string];
      assert.equal((await t.job(soon)).runAt, t.now());
      assert.equal((await t.job(later)).runAt, t.now() + 500.5);
      assert.equal((await t.job(later)).createdAt, t.now());
    },

    'keeps runAt as it was given, in the past, in the future and between milliseconds': async (t) => {
      for (const runAt of [0, 1, t.now() - 60_000, t.now() + 0.5, t.now() + 86_400_000, 8.64e15]) {
        assert.equal((await t.job(await t.enqueueOne({ runAt }))).runAt, runAt);
      }
    },

    'answers by position': async (t) => {
      const jobs = Array.from({ length: 50 }, (_, i) => t.newJob({ name: `name-${i % 7}` }));
      const results = await t.storage.enqueue({ jobs });
      assert.deepEqual(
        results,
        jobs.map(({ id }) => ({ jobId: id, deduplicated: false })),
      );
      const stored = await t.storage.getJobs({ jobIds: jobs.map(({ id }) => id) });
      assert.deepEqual(
        stored.map((job) => job?.name),
        jobs.map(({ name }) => name),
      );
    },

    'answers an empty batch with nothing': async (t) => {
      assert.deepEqual(await t.storage.enqueue({ jobs: [] }), []);
      assert.equal((await t.list()).total, 0);
    },

    'takes a repeated id for a repeat of the same call': async (t) => {
      const job = t.newJob();
      await t.storage.enqueue({ jobs: [job] });
      await t.advance(10);
      const repeat = t.newJob({ id: job.id, priority: 9, args: encodePayload(['other'], 'args') });
      await t.assertUnchanged(job.id, async () => {
        assert.deepEqual(await t.storage.enqueue({ jobs: [repeat] }), [{ jobId: job.id, deduplicated: false }]);
      });
      assert.equal((await t.list()).total, 1);
    },

    'takes a repeated id for a repeat while the job runs and after it has finished': async (t) => {
      const job = t.newJob();
      await t.storage.enqueue({ jobs: [job] });
      const { lease } = await t.claimOne();
      await t.assertUnchanged(job.id, () => t.storage.enqueue({ jobs: [job] }));
      await t.settle(lease, succeeded('done'));
      await t.assertUnchanged(job.id, async () => {
        assert.deepEqual(await t.storage.enqueue({ jobs: [job] }), [{ jobId: job.id, deduplicated: false }]);
      });
      assert.deepEqual(await t.claimIds(), []);
    },

    'stores an id once that comes twice in one batch': async (t) => {
      const first = t.newJob({ priority: 1 });
      const results = await t.storage.enqueue({ jobs: [first, { ...first, priority: 2 }] });
      assert.deepEqual(results, [
        { jobId: first.id, deduplicated: false },
        { jobId: first.id, deduplicated: false },
      ]);
      assert.equal((await t.job(first.id)).priority, 1);
      assert.deepEqual(await t.claimIds(), [first.id]);
    },

    'makes one job of concurrent calls with one id': async (t) => {
      const job = t.newJob();
      await Promise.all(Array.from({ length: 20 }, () => t.storage.enqueue({ jobs: [job] })));
      assert.deepEqual(await t.claimIds(), [job.id]);
      assert.equal((await t.list()).total, 1);
    },

    'serves concurrent callers each their own jobs': async (t) => {
      const jobs = Array.from({ length: 200 }, () => t.newJob());
      const results = await Promise.all(jobs.map((job) => t.storage.enqueue({ jobs: [job] })));
      assert.deepEqual(
        results,
        jobs.map(({ id }) => [{ jobId: id, deduplicated: false }]),
      );
      assert.equal((await t.list()).total, 200);
    },

    'keeps its own copy of what it was given and of what it gives': async (t) => {
      const args = { encoding: 'json', bytes: Buffer.from('[1]') } as const;
      const id = await t.enqueueOne({ args });
      args.bytes.fill(0);
      const [given] = await t.storage.getJobs({ jobIds: [id] });
      given?.args.bytes.fill(0);
      assert.equal((await t.job(id)).args.hex, Buffer.from('[1]').toString('hex'));
    },
  },
};
