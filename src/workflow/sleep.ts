import ms from 'ms';
import { ReseolioError } from '../core/errors.ts';
import { describeValue, LIMITS } from '../core/options.ts';
import { quietInHandler, requireWorkflow } from './current-job.ts';

/**
 * Waits in a handler: for milliseconds, for a duration such as `'2 days'` or `'90 min'` (as the `ms` package reads it), or
 * until a Date. Crashes and restarts do not make it longer. A handler that sleeps long leaves memory, takes up no slot, and
 * is run again when the time is there: what it did before is remembered and not done again.
 *
 * Resolves by the storage's clock, at once for a time that has passed.
 *
 * @param duration 0 to 10 years; a Date up to the year 2200.
 * @throws ReseolioError `invalid_argument`, `no_current_job` outside of a handler.
 */
export function sleep(duration: number | string | Date): Promise<void> {
  return quietInHandler(sleepInHandler(duration));
}

async function sleepInHandler(duration: unknown): Promise<void> {
  const workflow = requireWorkflow('sleep()');
  const until = readDuration(duration);
  const { answer } = workflow.ask('sleep', '', (request, begun) => {
    workflow.wait(request, begun, 'at' in until ? until.at : workflow.storageNow() + until.ms, null);
  });
  await answer;
}

function readDuration(duration: unknown): { readonly at: number } | { readonly ms: number } {
  if (duration instanceof Date) {
    const at = duration.getTime();
    if (at >= 0 && at <= LIMITS.runAt) return { at };
  } else {
    const asked = typeof duration === 'string' ? parse(duration) : duration;
    if (typeof asked === 'number' && asked >= 0 && asked <= LIMITS.startDelayMs) return { ms: asked };
  }
  throw new ReseolioError(
    'invalid_argument',
    `sleep() was given ${describeValue(duration)}: pass milliseconds from 0 to ${LIMITS.startDelayMs}, text such as '2 days', or a Date up to 2200`,
  );
}

/** undefined for what is no duration; the package throws for texts that are empty or very long. */
function parse(text: string): number | undefined {
  return text.length > 0 && text.length <= 100 ? ms(text as ms.StringValue) : undefined;
}
