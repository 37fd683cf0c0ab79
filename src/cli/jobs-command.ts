import { Command, InvalidArgumentError } from 'commander';
import type { JobDetails } from '../client/job-access.ts';
import { ReseolioError } from '../core/errors.ts';
import { JOB_STATES, type JobState } from '../core/job.ts';
import { addStorageOptions, parseCount } from './command-options.ts';
import { formatJson } from './format-json.ts';
import { formatFields, formatTable, formatTime, type Output } from './terminal.ts';
import { type StorageFlags, withClient } from './with-client.ts';

interface ListFlags extends StorageFlags {
  readonly status?: readonly JobState[];
  readonly name?: readonly string[];
  readonly limit: number;
  readonly offset: number;
}

/** `reseolio jobs`: what is in the storage, and how to mend it. */
export function createJobsCommand({ out }: Output): Command {
  const jobs = new Command('jobs').description('list, show, retry and cancel jobs');

  addStorageOptions(jobs.command('list').description('the newest jobs'))
    .option('--status <status...>', `only in these: ${JOB_STATES.join(', ')}`, parseStatus)
    .option('--name <name...>', 'only of these functions')
    .option('--limit <n>', 'at most so many', parseCount, 20)
    .option('--offset <n>', 'leave out so many', parseCount, 0)
    .action(async (flags: ListFlags) => {
      const { status: statuses, name: names, limit, offset } = flags;
      const list = await withClient(flags, (client) =>
        client.listJobs({ ...(statuses && { statuses }), ...(names && { names }), limit, offset }),
      );
      if (flags.json) return out(formatJson(list));
      const rows = list.jobs.map((job) => [
        job.id,
        job.name,
        job.status,
        `${job.attempt}/${job.options.maxAttempts}`,
        formatTime(job.runAt),
        job.error?.message.split('\n')[0] ?? null,
      ]);
      out(formatTable(['ID', 'NAME', 'STATUS', 'ATTEMPT', 'DUE', 'ERROR'], rows));
      out(`${list.jobs.length} of ${list.total}`);
    });

  addStorageOptions(jobs.command('show <id>').description('all that is known of a job')).action(
    async (id: string, flags: StorageFlags) => {
      const job = await withClient(flags, (client) => client.getJob(id));
      if (job === null) throw new ReseolioError('job_not_found', `there is no job ${id}: it may have been pruned`);
      out(flags.json ? formatJson(job) : describeJob(job));
    },
  );

  addChange(jobs, 'retry', 'put dead jobs back to pending', (client, id) => client.retryJob(id), out);
  addChange(jobs, 'cancel', 'cancel jobs that are pending', (client, id) => client.cancelJob(id), out);
  return jobs;
}

function addChange(
  jobs: Command,
  name: string,
  description: string,
  change: (client: Parameters<Parameters<typeof withClient>[1]>[0], id: string) => Promise<boolean>,
  out: Output['out'],
): void {
  addStorageOptions(jobs.command(`${name} <id...>`).description(description)).action(
    async (ids: readonly string[], flags: StorageFlags) => {
      const results = await withClient(flags, async (client) => {
        const done: { id: string; changed: boolean }[] = [];
        for (const id of ids) {
          const changed = await change(client, id);
          done.push({ id, changed });
          // At once, so that a failure further on does not hide what has been done.
          if (!flags.json) out(`${id}  ${changed ? `${name} done` : `not changed: see jobs show`}`);
        }
        return done;
      });
      if (flags.json) out(formatJson(results));
    },
  );
}

function describeJob(job: JobDetails): string {
  const { args, result, error } = job;
  const fields = formatFields({
    id: job.id,
    name: job.name,
    status: job.status,
    attempt: `${job.attempt} of ${job.options.maxAttempts}`,
    priority: job.priority,
    'idempotency key': job.idempotencyKey,
    schedule: job.occurrence === null ? null : `${job.occurrence.scheduleId} for ${formatTime(job.occurrence.dueAt)}`,
    created: formatTime(job.createdAt),
    due: formatTime(job.runAt),
    started: formatTime(job.startedAt),
    finished: formatTime(job.finishedAt),
    worker: job.workerId,
    args: formatJson(args),
    result: result === undefined ? null : formatJson(result),
    error: error === null ? null : (error.stack ?? `${error.name}: ${error.message}`),
  });
  const history = job.history.map((attempt) => [
    attempt.attempt,
    attempt.outcome,
    formatTime(attempt.startedAt),
    formatTime(attempt.endedAt),
    attempt.workerId,
    attempt.error.message.split('\n')[0] ?? '',
  ]);
  if (history.length === 0) return fields;
  return `${fields}\n\n${formatTable(['ATTEMPT', 'OUTCOME', 'STARTED', 'ENDED', 'WORKER', 'ERROR'], history)}`;
}

function parseStatus(given: string, before: readonly JobState[] | undefined): readonly JobState[] {
  const state = JOB_STATES.find((known) => known === given);
  if (state === undefined) throw new InvalidArgumentError(`use ${JOB_STATES.join(', ')}`);
  return [...(before ?? []), state];
}
