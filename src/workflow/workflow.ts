import { NondeterminismError } from '../core/errors.ts';
import type { JobRecord, Lease } from '../core/job.ts';
import type { BegunStep, Operation, StepOutcome } from '../core/step.ts';
import type { AttemptOutcome, NewJob } from '../core/storage.ts';
import type { Told } from './history.ts';
import { Journal } from './journal.ts';
import { OpenRequests } from './open-requests.ts';
import { Request, type StartRequest } from './request.ts';
import { Residence } from './residence.ts';
import { SignalInbox } from './signal-inbox.ts';
import { describeDifference, describeMissing } from './step-places.ts';
import { toStoredError } from './stored-error.ts';
import { Waits } from './waits.ts';
import type { WorkflowEnvironment, WorkflowHost } from './workflow-host.ts';

export interface WorkflowParams {
  readonly job: JobRecord;
  readonly lease: Lease;
  /** The job was suspended, and this goes on with that attempt. */
  readonly isResumed: boolean;
  readonly environment: WorkflowEnvironment;
  readonly host: WorkflowHost;
}

const ELAPSED: StepOutcome = { kind: 'elapsed' };

/** `loading`: what the job remembers is being read. `over`: nothing is recorded and nobody is told anything any more. */
type Phase = 'new' | 'loading' | 'ready' | 'over';

/**
 * One attempt's way through its handler. The handler makes requests, which are counted; what they came to is remembered with
 * the job, and told again when the handler runs again. What a handler is told comes one by one, each after all that the one
 * before set going has come to rest, and in the order of the first run: so the handler makes the same requests.
 *
 * Nothing is begun on the strength of what is not durable: before a step's function runs or a child is made, what the
 * handler was told is recorded.
 */
export class Workflow {
  readonly environment: WorkflowEnvironment;
  readonly signals: SignalInbox;
  /** By which version of each change the job goes on. */
  readonly versions = new Map<string, Promise<number>>();
  readonly #params: WorkflowParams;
  readonly #journal: Journal;
  readonly #takenSignals = new Set<number>();
  /** Requests that wait for the history. */
  #early: Request[] = [];
  readonly #open = new OpenRequests();
  readonly residence: Residence;
  readonly waits: Waits;
  #phase: Phase = 'new';
  #isPumpScheduled = false;
  #asked = 0;
  #loaded: Promise<void> = Promise.resolve();
  #isSuspending = false;
  /** It was to be suspended while it looked for something. */
  #isSuspensionDue = false;
  #overReason: unknown = null;
  #stopReason: unknown = null;

  constructor(params: WorkflowParams) {
    const { environment, job, lease, host } = params;
    this.#params = params;
    this.environment = environment;
    this.signals = new SignalInbox(environment.storage, job.id, this.#takenSignals);
    this.#journal = new Journal({
      job,
      lease,
      environment,
      onReady: () => this.#schedulePump(),
      onLeaseLost: () => host.loseLease(),
      onFull: (error) => this.fail(error),
    });
    this.waits = new Waits({
      ...environment,
      now: () => host.storageNow(),
      onElapsed: (request) => this.end(request, ELAPSED),
      onLooked: () => this.#schedulePump(),
    });
    this.residence = new Residence({ host, onChange: () => this.#schedulePump(), isOver: () => this.isOver });
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** The job was asked to stop. */
  get isStopping(): boolean {
    return this.#stopReason !== null;
  }

  storageNow(): number {
    return this.#params.host.storageNow();
  }

  /** The handler asks for something. `start` is called unless the answer is remembered. */
  ask(operation: Operation, name: string, start: StartRequest): Request {
    const request = new Request(operation, name, start);
    switch (this.#phase) {
      case 'ready':
        this.#begin(request);
        break;
      case 'over':
        if (this.#overReason !== null) request.reject(this.#overReason);
        break;
      default:
        this.#early.push(request);
        if (this.#phase === 'new') this.#loaded = this.#load().catch((error: unknown) => this.fail(error));
    }
    return request;
  }

  /**
   * A request waits for something that may take long; until `wakeAt` at the longest, or the time of an earlier run. If there
   * is something to `look` for, that is done before time ends it.
   */
  wait(request: Request, begun: BegunStep | null, wakeAt: number | null, look: (() => void) | null): void {
    const { position, operation, name } = request;
    if (begun === null && wakeAt !== null) this.#journal.begin({ position, operation, name, phase: 'begun', wakeAt });
    request.isWaiting = true;
    request.wakeAt = begun?.wakeAt ?? wakeAt;
    request.look = look;
    this.waits.begin(request);
  }

  /** What a request came to. `child` is made with it; then, or if `isDurableFirst`, nobody is told before it is stored. */
  end(request: Request, outcome: StepOutcome, child: NewJob | null = null, isDurableFirst = child !== null): void {
    if (this.isOver || request.hasEnded) return;
    request.hasEnded = true;
    request.letGo();
    const { position, operation, name } = request;
    const step = { position, operation, name, phase: 'ended', asked: this.#asked, outcome } as const;
    this.#journal.end(step, child, isDurableFirst);
    this.#schedulePump();
  }

  /** Resolves when the function of a step may run: all that the handler was told is durable. */
  startStep({ position, operation, name }: Request): Promise<void> {
    return this.#journal.startStep({ position, operation, name });
  }

  /** Signals may have come. */
  lookForSignals(): void {
    for (const request of this.#open.waiting) if (request.operation === 'signal') this.waits.look(request);
  }

  /** The job is to stop: what the handler waits for, now or later, rejects with `reason`; in a replay, once it comes to an end. */
  interrupt(reason: unknown): void {
    if (this.isOver) return;
    this.#stopReason = reason;
    this.#schedulePump();
  }

  /** The handler has ended. Resolves with the outcome when the children that it called have been made. */
  finish(outcome: AttemptOutcome): AttemptOutcome | Promise<AttemptOutcome> {
    if (this.#phase === 'loading' || this.#journal.hasChild) return this.#finishCalls(outcome);
    this.close(null);
    return outcome;
  }

  /** What the replay waits for that the handler, which waits as well, does not ask for; null if it is not stuck. */
  describeStuck(): string | null {
    const next = this.#phase === 'ready' ? this.#journal.history.next : null;
    if (next === null || this.#open.isEmpty || this.#open.get(next.step.position) !== null) return null;
    return describeMissing(next.step);
  }

  /** Leaves memory when all is stored, unless something comes up. False: it is about to already, or has to stay. */
  suspend(): boolean {
    if (this.isOver || this.#isSuspending || this.residence.needsMemory) return false;
    this.#isSuspending = true;
    void this.#journal.flushed().then(() => {
      this.#isSuspending = false;
      if (!this.isOver) this.#suspendIfIdle();
    });
    return true;
  }

  #suspendIfIdle(): void {
    this.#isSuspensionDue = this.#open.isLooking;
    const isIdle = this.#journal.history.next === null && !this.residence.needsMemory && !this.isStopping;
    const suspension = isIdle && !this.#isSuspensionDue ? this.#open.suspension(this.signals.seen) : null;
    if (suspension === null) this.#schedulePump();
    else {
      this.close(null);
      this.#params.host.end(suspension);
    }
  }

  /** Ends the job dead: its handler and what it remembers do not fit. */
  fail(error: unknown): void {
    if (this.isOver) return;
    this.close(error);
    this.#params.host.end({ kind: 'dead', error: toStoredError(error) });
  }

  /** A handler need not await its calls. */
  async #finishCalls(outcome: AttemptOutcome): Promise<AttemptOutcome> {
    await this.#loaded;
    await this.#journal.flushed();
    this.close(null);
    return outcome;
  }

  async #load(): Promise<void> {
    this.#phase = 'loading';
    const { isResumed } = this.#params;
    await this.#journal.load(isResumed);
    if (this.isOver) return;
    for (const { step } of this.#journal.history.told) {
      if (step.outcome.kind === 'signalled') this.#takenSignals.add(step.outcome.index);
    }
    this.#phase = 'ready';
    // One of them may end the attempt: what is left then is rejected.
    for (let request = this.#early.shift(); request !== undefined; request = this.#early.shift()) {
      this.#begin(request);
      request.decide();
    }
  }

  #begin(request: Request): void {
    const { history } = this.#journal;
    if (request.operation === 'version' && !history.hasVersionAt(this.#asked, request.name)) {
      request.resolve({ outcome: { kind: 'versioned', version: 0 }, jobId: null });
      return;
    }
    const position = this.#asked++;
    request.position = position;
    this.#open.add(request);
    const expected = history.differenceAt(position, request);
    if (expected !== null) {
      this.fail(new NondeterminismError(describeDifference(expected, request)));
      return;
    }
    if (!history.toldAt(position)?.isReady) request.start(request, history.begunAt(position));
    this.#schedulePump();
  }

  /** Something may have changed: tells the handler what is to be told, or gives the slot back. */
  #schedulePump(): void {
    if (this.#isPumpScheduled || this.#phase !== 'ready') return;
    this.#isPumpScheduled = true;
    // All that the last answer set going has asked by then for what it will ask for.
    this.environment.turns.schedule(() => {
      this.#isPumpScheduled = false;
      if (!this.isOver) this.#pump();
    });
  }

  #pump(): void {
    // What is to be told is told then.
    if (this.residence.isUnparking) return;
    const told = this.#journal.history.next;
    const request = told === null ? null : this.#open.get(told.step.position);
    if (told === null) this.#rest();
    // Otherwise it waits for the disk, or for the handler to ask.
    else if (request !== null && told.isReady) this.residence.withSlot(() => this.#tell(told, request));
  }

  #tell(told: Told, request: Request): void {
    this.#schedulePump();
    // It may have been told while it waited for the slot.
    if (this.isOver || this.#journal.history.next !== told) return;
    this.#journal.tell(told, this.#asked);
    this.#open.remove(request);
    request.resolve({ outcome: told.step.outcome, jobId: told.jobId });
  }

  /** There is nothing to tell: if all that is left to do is to wait, the slot goes to others. */
  #rest(): void {
    const residence = this.residence;
    const isWaiting = this.#open.waiting.length > 0;
    if (this.isStopping) {
      if (isWaiting) residence.withSlot(() => this.#open.rejectWaiting(this.#stopReason));
      return;
    }
    if (residence.needsSlot || this.#isSuspending || this.#open.isLooking) return;
    if (residence.isParked) {
      if (this.#isSuspensionDue) this.suspend();
      return;
    }
    if (!isWaiting && !residence.needsMemory) return;
    const suspendInMs = this.#open.suspendInMs(this.environment.suspendAfterMs, this.storageNow());
    if (residence.needsMemory) residence.park(Number.POSITIVE_INFINITY);
    else if (suspendInMs > 0) residence.park(suspendInMs);
    else this.suspend();
  }

  /** The attempt is over. `reason` null: what has not been answered never will be. */
  close(reason: unknown): void {
    if (this.isOver) return;
    this.#phase = 'over';
    this.#overReason = reason;
    this.#journal.close();
    this.residence.close();
    this.#open.close(reason);
    if (reason !== null) for (const request of this.#early) request.reject(reason);
    this.#early = [];
  }
}
