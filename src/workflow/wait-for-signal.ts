import { ReseolioError, SignalTimeoutError } from '../core/errors.ts';
import { assertNumber, describeValue, LIMITS } from '../core/options.ts';
import { decodePayload } from '../core/payload.ts';
import { requireWorkflow } from './current-job.ts';
import type { Request } from './request.ts';
import type { Workflow } from './workflow.ts';

export interface WaitForSignalOptions {
  /** How long to wait, milliseconds, 0 to 10 years; time in which the job is not in memory counts. Default: for ever. */
  readonly timeoutMs?: number;
}

/**
 * Waits in a handler for a signal that `handle.signal(name, payload)` sends to its job, and resolves with the payload. Each
 * signal is taken once, those of one name in the order in which they were stored; one that came before it was waited for is
 * kept. A handler that waits long leaves memory and takes up no slot.
 *
 * @param name 1 to 128 bytes of well-formed text.
 * @throws SignalTimeoutError after `timeoutMs`; ReseolioError `invalid_argument`, `invalid_option`, `no_current_job`.
 */
export async function waitForSignal<Payload = unknown>(
  name: string,
  options: WaitForSignalOptions = {},
): Promise<Payload> {
  const workflow = requireWorkflow('waitForSignal()');
  assertSignalName(name);
  const { timeoutMs } = options;
  if (timeoutMs !== undefined) assertNumber('timeoutMs', timeoutMs, 0, LIMITS.startDelayMs);
  const { answer } = workflow.ask('signal', name, (request, begun) => {
    if (begun !== null) workflow.wait(request, begun.wakeAt);
    else if (timeoutMs === undefined) workflow.wait(request, null);
    else workflow.waitUntil(request, workflow.storageNow() + timeoutMs);
    if (request.isWaiting) lookFor(workflow, request);
  });
  const { outcome } = await answer;
  if (outcome.kind === 'signalled') return decodePayload(outcome.payload) as Payload;
  throw new SignalTimeoutError(name);
}

/** Throws `invalid_argument` unless `name` can be that of a signal. */
export function assertSignalName(name: unknown): asserts name is string {
  const bytes = typeof name === 'string' && name.isWellFormed() ? Buffer.byteLength(name) : 0;
  if (bytes > 0 && bytes <= LIMITS.signalNameBytes) return;
  throw new ReseolioError(
    'invalid_argument',
    `the name of a signal is ${describeValue(name)}: use 1 to ${LIMITS.signalNameBytes} bytes of well-formed text`,
  );
}

function lookFor(workflow: Workflow, request: Request): void {
  const { signals } = workflow;
  const take = (): void => {
    if (!request.isWaiting || workflow.isOver) return;
    const signal = signals.take(request.name);
    if (signal !== null) workflow.end(request, { kind: 'signalled', ...signal });
  };
  request.take = take;
  request.look = () => {
    // A read that fails is made up for: the suspension asks the storage whether there is more than was seen.
    signals.read().then(take, (error: unknown) => void workflow.environment.reportError(error));
  };
  take();
  if (request.isWaiting) request.look();
}
