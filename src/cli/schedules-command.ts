import { Command, Option } from 'commander';
import type { Reseolio } from '../client/reseolio.ts';
import type { ScheduleHandle } from '../client/schedule-handle.ts';
import type { ScheduleDetails } from '../client/schedule-overview.ts';
import { ReseolioError } from '../core/errors.ts';
import { SCHEDULE_STATES, type ScheduleState } from '../core/schedule-record.ts';
import { addStorageOptions, parseCount } from './command-options.ts';
import { formatJson } from './format-json.ts';
import { formatFields, formatTable, formatTime, type Output } from './terminal.ts';
import { type StorageFlags, withClient } from './with-client.ts';

interface ListFlags extends StorageFlags {
  readonly status?: ScheduleState;
  readonly limit: number;
  readonly offset: number;
}

/** `reseolio schedules`: what recurs, and how to hold it up. */
export function createSchedulesCommand({ out }: Output): Command {
  const schedules = new Command('schedules').description('list, show, pause, resume and delete schedules');

  addStorageOptions(schedules.command('list').description('those that are due next first'))
    .addOption(new Option('--status <status>', 'only in this; all but deleted otherwise').choices(SCHEDULE_STATES))
    .option('--limit <n>', 'at most so many', parseCount, 100)
    .option('--offset <n>', 'leave out so many', parseCount, 0)
    .action(async (flags: ListFlags) => {
      const { status, limit, offset } = flags;
      const list = await withClient(flags, (client) =>
        client.listSchedules({ ...(status && { status }), limit, offset }),
      );
      if (flags.json) return out(formatJson(list));
      const rows = list.schedules.map((each) => [
        each.name,
        each.status,
        each.cron,
        each.timezone,
        formatTime(each.nextRunAt),
        formatTime(each.lastRunAt),
        each.id,
      ]);
      out(formatTable(['NAME', 'STATUS', 'CRON', 'TIME ZONE', 'NEXT', 'LAST', 'ID'], rows));
      out(`${list.schedules.length} of ${list.total}`);
    });

  addStorageOptions(schedules.command('show <id-or-name>').description('all that is known of a schedule')).action(
    async (idOrName: string, flags: StorageFlags) => {
      const details = await withClient(flags, async (client) => (await find(client, idOrName)).details());
      out(flags.json ? formatJson(details) : describeSchedule(details));
    },
  );

  addChange('pause', 'make no more jobs until it is resumed', (schedule) => schedule.pause());
  addChange('resume', 'go on with the next occurrence', (schedule) => schedule.resume());
  addChange('delete', 'end it for good', (schedule) => schedule.delete());

  function addChange(name: string, description: string, change: (schedule: ScheduleHandle) => Promise<unknown>): void {
    addStorageOptions(schedules.command(`${name} <id-or-name>`).description(description)).action(
      async (idOrName: string, flags: StorageFlags) => {
        const details = await withClient(flags, async (client) => {
          const schedule = await find(client, idOrName);
          await change(schedule);
          return schedule.details();
        });
        out(flags.json ? formatJson(details) : `${details.name} is ${details.status}`);
      },
    );
  }

  return schedules;
}

async function find(client: Reseolio, idOrName: string): Promise<ScheduleHandle> {
  const schedule = await client.getSchedule(idOrName);
  if (schedule === null) throw new ReseolioError('schedule_not_found', `there is no schedule ${idOrName}`);
  return schedule;
}

function describeSchedule(schedule: ScheduleDetails): string {
  return formatFields({
    id: schedule.id,
    name: schedule.name,
    function: schedule.functionName,
    status: schedule.status,
    cron: schedule.cron,
    'time zone': schedule.timezone,
    next: formatTime(schedule.nextRunAt),
    last: formatTime(schedule.lastRunAt),
    'last job': schedule.lastJobId,
    'catch up': schedule.catchUp === 'all' ? `all, up to ${schedule.catchUpLimit}` : schedule.catchUp,
    overlap: schedule.overlap,
    options: formatJson(schedule.handlerOptions),
    args: formatJson(schedule.args),
    created: formatTime(schedule.createdAt),
    updated: formatTime(schedule.updatedAt),
  });
}
