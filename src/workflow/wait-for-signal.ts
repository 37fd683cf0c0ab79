import { SignalTimeoutError } from '../core/errors.ts';
import { assertKnownKeys, assertNumber, LIMITS } from '../core/options.ts';
import { decodePayload } from '../core/payload.ts';
import { quietInHandler, requireWorkflow } from './current-job.ts';
import type { Request } from './request.ts';
import { assertRequestName } from './request-name.ts';
import type { Workflow } from './workflow.ts';

/** How long a wait in memory goes without looking. */
const POLL_MS = 1000;

const OPTION_KEYS: ReadonlySet<string> = new Set(['timeoutMs'] satisfies (keyof WaitForSignalOptions)[]);

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
export function waitForSignal<Payload = unknown>(name: string, options: WaitForSignalOptions = {}): Promise<Payload> {
  return quietInHandler(takeSignal<Payload>(name, options));
}

async function takeSignal<Payload>(name: string, options: WaitForSignalOptions): Promise<Payload> {
  const workflow = requireWorkflow('waitForSignal()');
  assertRequestName('a signal', name);
  assertKnownKeys(options, OPTION_KEYS);
  const { timeoutMs } = options;
  if (timeoutMs !== undefined) assertNumber('timeoutMs', timeoutMs, 0, LIMITS.startDelayMs);
  const { answer } = workflow.ask('signal', name, (request, begun) => {
    const take = (): void => takeIfThere(workflow, request);
    const wakeAt = timeoutMs === undefined ? null : workflow.storageNow() + timeoutMs;
    request.take = take;
    take();
    if (!request.hasEnded) workflow.wait(request, begun, wakeAt, () => void readSignals(workflow, request, take));
  });
  const { outcome } = await answer;
  if (outcome.kind === 'signalled') return decodePayload(outcome.payload) as Payload;
  throw new SignalTimeoutError(name);
}

function takeIfThere(workflow: Workflow, request: Request): void {
  if (request.hasEnded || workflow.isOver) return;
  const signal = workflow.signals.take(request.name);
  if (signal !== null) workflow.end(request, { kind: 'signalled', ...signal });
}

/** Looks, and again after a while: a hint that a signal has come may be lost. */
async function readSignals(workflow: Workflow, request: Request, take: () => void): Promise<void> {
  const { runtime, reportError } = workflow.environment;
  try {
    await workflow.signals.read();
    take();
    workflow.waits.lookedInVain(request);
  } catch (error) {
    if (reportError(error)) return;
  }
  if (request.isWaiting) request.lookAgain(runtime, POLL_MS, () => workflow.waits.look(request));
}
