import { ReseolioError, StepFailedError } from '../core/errors.ts';
import { describeValue, type JobOptions, resolveJobOptions } from '../core/options.ts';
import { decodePayload } from '../core/payload.ts';
import { currentContext, type JobContext, quietInHandler, requireWorkflow } from './current-job.ts';
import { assertRequestName } from './request-name.ts';
import { StepTries, type StepTry } from './step-tries.ts';

/**
 * How a step is tried. As for jobs: 3 tries, exponential backoff from a second on. `timeoutMs` bounds one try; left out, only
 * the attempt of the job does. A step that should be tried longer than a job's `timeoutMs` allows needs no more than that: time
 * between tries does not count.
 */
export type StepOptions = Partial<JobOptions>;

/**
 * Runs `run` in a handler, once to success: its result is durable when this resolves, and a handler that runs again gets it
 * without a run. It may run again where a crash came between its end and the write. Between tries it takes up no slot.
 *
 * What `run` returns is packed as a job's result is, and this resolves with a copy. Durable functions that `run` calls are no
 * children, and are called again when it is tried again: give them idempotency keys, or call them outside.
 *
 * @param name 1 to 128 bytes of well-formed text; a handler that asks for another name here on its next run ends its job.
 * @throws StepFailedError after the last try, or the first that throws a `NonRetryableError`; ReseolioError
 *   `invalid_argument`, `invalid_option`, `no_current_job`.
 */
export function step<Result>(
  name: string,
  run: (current: StepTry) => Result,
  options: StepOptions = {},
): Promise<Awaited<Result>> {
  return quietInHandler(runStep(name, run, options));
}

async function runStep<Result>(
  name: string,
  run: (current: StepTry) => Result,
  options: StepOptions,
): Promise<Awaited<Result>> {
  const workflow = requireWorkflow('step()');
  const context = currentContext() as JobContext;
  assertRequestName('a step', name);
  if (typeof run !== 'function') {
    throw new ReseolioError('invalid_argument', `step ${name} was given ${describeValue(run)}: pass a function`);
  }
  const { timeoutMs = null } = options;
  const resolved = resolveJobOptions(options);
  let isNew = false;
  const request = workflow.ask('step', name, () => {
    isNew = true;
  });
  await request.whenDecided();
  if (isNew) {
    const tries = new StepTries({ workflow, request, context, name, run, options: { ...resolved, timeoutMs } });
    // Not awaited: if the attempt ends meanwhile, the handler hears of it while the function still runs.
    void tries.untilDone().then((done) => {
      if (done !== null) workflow.end(request, done, null, done.kind === 'returned');
      tries.leave();
    });
  }
  const { outcome } = await request.answer;
  if (outcome.kind === 'failed') throw new StepFailedError(name, outcome.attempts, outcome.error, outcome.isRetryable);
  return decodePayload(outcome.kind === 'returned' ? outcome.result : null) as Awaited<Result>;
}
