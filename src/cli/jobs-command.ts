import { Command, InvalidArgumentError } from 'commander';
import type { Reseolio } from '../client/reseolio.ts';
import { ReseolioError } from '../core/errors.ts';
import { JOB_STATES, type JobState } from '../core/job.ts';
import { addStorageOptions, parseCount } from './command-options.ts';
import { describeJob, formatDue } from './describe-job.ts';
import { formatJson } from './format-json.ts';
import { formatTable, type Output } from './terminal.ts';
import { type StorageFlags, withClient } from './with-client.ts';

interface ListFlags extends StorageFlags {
  readonly status?: readonly JobState[];
  readonly name?: readonly string[];
  readonly parent?: string;
  readonly limit: number;
  readonly offset: number;
}

interface CancelFlags extends StorageFlags {
  readonly running?: boolean;
}

/** `reseolio jobs`: what is in the storage, and how to mend it. */
export function createJobsCommand(output: Output): Command {
  const jobs = new Command('jobs').description('list, show, retry, cancel and signal jobs');
  addList(jobs, output);
  addShow(jobs, output);
  addRetry(jobs, output);
  addCancel(jobs, output);
  addSignal(jobs, output);
  return jobs;
}

function addList(jobs: Command, { out }: Output): void {
  addStorageOptions(jobs.command('list').description('the newest jobs'))
    .option('--status <status...>', `only in these: ${JOB_STATES.join(', ')}`, parseStatus)
    .option('--name <name...>', 'only of these functions')
    .option('--parent <id>', 'only those that the handler of this job called')
    .option('--limit <n>', 'at most so many', parseCount, 20)
    .option('--offset <n>', 'leave out so many', parseCount, 0)
    .action(async (flags: ListFlags) => {
      const { status: statuses, name: names, parent: parentId, limit, offset } = flags;
      const filter = {
        ...(statuses && { statuses }),
        ...(names && { names }),
        ...(parentId !== undefined && { parentId }),
      };
      const list = await withClient(flags, (client) => client.listJobs({ ...filter, limit, offset }));
      if (flags.json) return out(formatJson(list));
      const rows = list.jobs.map((job) => [
        job.id,
        job.name,
        job.status,
        `${job.attempt}/${job.options.maxAttempts}`,
        formatDue(job),
        job.error?.message.split('\n')[0] ?? null,
      ]);
      out(formatTable(['ID', 'NAME', 'STATUS', 'ATTEMPT', 'DUE', 'ERROR'], rows));
      out(`${list.jobs.length} of ${list.total}`);
    });
}

function addShow(jobs: Command, { out }: Output): void {
  addStorageOptions(jobs.command('show <id>').description('all that is known of a job')).action(
    async (id: string, flags: StorageFlags) => {
      const text = await withClient(flags, async (client) => {
        const job = await client.getJob(id);
        if (job === null) throw new ReseolioError('job_not_found', `there is no job ${id}: it may have been pruned`);
        if (flags.json) return formatJson(job);
        const { total } = await client.listJobs({ parentId: id, limit: 1 });
        return describeJob(job, total);
      });
      out(text);
    },
  );
}

function addRetry(jobs: Command, { out }: Output): void {
  const retry = jobs.command('retry <id...>').description('put dead jobs back to pending');
  addStorageOptions(retry).action(async (ids: readonly string[], flags: StorageFlags) => {
    await changeEach(ids, flags, out, async (client, id) => ((await client.retryJob(id)) ? 'retry done' : null));
  });
}

function addCancel(jobs: Command, { out }: Output): void {
  const cancel = jobs.command('cancel <id...>').description('cancel jobs that are pending, and their children');
  addStorageOptions(cancel)
    .option('--running', 'ask those that are running to stop')
    .action(async (ids: readonly string[], flags: CancelFlags) => {
      await changeEach(ids, flags, out, async (client, id) => {
        if (!(await client.cancelJob(id, { running: flags.running === true }))) return null;
        const status = await client.getHandle(id).status();
        return status === 'cancelled' ? 'cancel done' : 'asked to stop';
      });
    });
}

function addSignal(jobs: Command, { out }: Output): void {
  const signal = jobs.command('signal').description('send a signal to a job that has not ended');
  addStorageOptions(signal)
    .argument('<id>')
    .argument('<name>', 'that waitForSignal has in the handler')
    .argument('[json]', 'what the signal carries', parseJson)
    .action(async (id: string, name: string, payload: unknown, flags: StorageFlags) => {
      await withClient(flags, (client) => client.getHandle(id).signal(name, payload));
      out(flags.json ? formatJson({ id, signal: name }) : `${id}  signal ${name} stored`);
    });
}

/** Changes one job after the other. `change` resolves with what was done, null for nothing. */
async function changeEach(
  ids: readonly string[],
  flags: StorageFlags,
  out: Output['out'],
  change: (client: Reseolio, id: string) => Promise<string | null>,
): Promise<void> {
  const results = await withClient(flags, async (client) => {
    const changes: { id: string; changed: boolean }[] = [];
    for (const id of ids) {
      const done = await change(client, id);
      changes.push({ id, changed: done !== null });
      // At once, so that a failure further on does not hide what has been done.
      if (!flags.json) out(`${id}  ${done ?? 'not changed: see jobs show'}`);
    }
    return changes;
  });
  if (flags.json) out(formatJson(results));
}

function parseStatus(given: string, before: readonly JobState[] | undefined): readonly JobState[] {
  const state = JOB_STATES.find((known) => known === given);
  if (state === undefined) throw new InvalidArgumentError(`use ${JOB_STATES.join(', ')}`);
  return [...(before ?? []), state];
}

function parseJson(given: string): unknown {
  try {
    return JSON.parse(given) as unknown;
  } catch {
    throw new InvalidArgumentError('use JSON, such as \'"text"\', 12 or \'{"by":"me"}\'');
  }
}
