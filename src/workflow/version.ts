import { NondeterminismError, ReseolioError } from '../core/errors.ts';
import { describeValue } from '../core/options.ts';
import { quietInHandler, requireWorkflow } from './current-job.ts';
import { assertRequestName } from './request-name.ts';

const MAX_VERSION = 1_000_000;

/**
 * Lets the code of a handler change under jobs that are under way. Resolves with the version by which this job goes on:
 * `max` for one that comes here first, the one it came by for one that has been here, 0 for one that went past here before
 * the change was made. The same change has one version throughout a job.
 *
 * ```ts
 * if ((await version('check-address', 1)) >= 1) await step('check address', () => check(address));
 * ```
 *
 * @param changeId 1 to 128 bytes of well-formed text.
 * @param max The newest version that the code knows, 1 to 1 000 000.
 * @throws ReseolioError `invalid_argument`, `no_current_job`. A job that came by a newer version than `max` ends dead with
 *   `nondeterminism`.
 */
export function version(changeId: string, max: number): Promise<number> {
  return quietInHandler(chooseVersion(changeId, max));
}

async function chooseVersion(changeId: string, max: number): Promise<number> {
  const workflow = requireWorkflow('version()');
  assertRequestName('a change', changeId);
  assertVersion(max);
  let known = workflow.versions.get(changeId);
  if (known === undefined) {
    const { answer } = workflow.ask('version', changeId, (request) => {
      workflow.end(request, { kind: 'versioned', version: max });
    });
    known = answer.then(({ outcome }) => (outcome.kind === 'versioned' ? outcome.version : 0));
    // It may never be looked at again.
    known.catch(() => {});
    workflow.versions.set(changeId, known);
  }
  const chosen = await known;
  if (chosen <= max) return chosen;
  const error = new NondeterminismError(
    `the job came by version ${chosen} of change ${describeValue(changeId)}, and the handler knows ${max}`,
  );
  workflow.fail(error);
  throw error;
}

function assertVersion(max: unknown): void {
  if (typeof max === 'number' && Number.isInteger(max) && max >= 1 && max <= MAX_VERSION) return;
  throw new ReseolioError(
    'invalid_argument',
    `version() was given ${describeValue(max)}: pass a whole number from 1 to ${MAX_VERSION}`,
  );
}
