import { type BegunStep, type EndedStep, type StepPlace, unpackStep } from '../core/step.ts';
import type { StoredStep } from '../core/step-operations.ts';

/** One thing that the handler is told, or was told in an earlier run. */
export interface Told {
  step: EndedStep;
  /** The job that stands for a child. */
  jobId: string | null;
  /** It may be told: what has to be durable first is. */
  isReady: boolean;
  /** It is stored, or on its way to be. */
  isRecorded: boolean;
}

/**
 * What a job remembers: how its handler's requests ended, in the order in which the handler was told, and since when those
 * that time ends were under way. A handler that does the same whenever it is told the same in the same order asks for the
 * same.
 */
export class History {
  #told: Told[] = [];
  readonly #toldAt = new Map<number, Told>();
  readonly #begunAt = new Map<number, BegunStep>();
  /** Of children that were called anew: the first that was called in their place. */
  readonly #firstCalled = new Map<string, string>();
  #lastPosition = -1;
  #lastOrder = -1;
  #next = 0;

  /** What comes next to be told; null when all has been. */
  get next(): Told | null {
    return this.#told[this.#next] ?? null;
  }

  advance(): void {
    this.#next++;
  }

  get told(): readonly Told[] {
    return this.#told;
  }

  /** Something is remembered of a request from `position` on. */
  reaches(position: number): boolean {
    return this.#lastPosition >= position;
  }

  /** What is remembered to be asked for at `position`, unless it is what `asked` asks for; null also for nothing. */
  differenceAt(position: number, asked: Pick<StepPlace, 'operation' | 'name'>): StepPlace | null {
    const place = this.#placeAt(position);
    if (place === null || place.operation !== asked.operation) return place;
    // One that awaits a child that was called anew awaits it in the place of the one before.
    const nameOf = ({ operation, name }: typeof asked): string =>
      operation === 'result' ? (this.#firstCalled.get(name) ?? name) : name;
    return nameOf(place) === nameOf(asked) ? null : place;
  }

  /** False: an earlier run went past `position` before there was a version to ask for. */
  hasVersionAt(position: number, name: string): boolean {
    if (this.#placeAt(position) === null) return !this.reaches(position);
    return this.differenceAt(position, { operation: 'version', name }) === null;
  }

  toldAt(position: number): Told | null {
    return this.#toldAt.get(position) ?? null;
  }

  begunAt(position: number): BegunStep | null {
    return this.#begunAt.get(position) ?? null;
  }

  /** Something failed, and nothing is remembered that came of it. */
  get endsInFailure(): boolean {
    // Later ones were told after more had been asked for.
    const loose = this.#told.slice(this.#told.findLastIndex(({ step }) => this.reaches(step.asked)) + 1);
    return loose.some(({ step }) => isFailure(step));
  }

  /** Takes in all that was stored, in that order. Of several words on one position the last stands. */
  load(steps: readonly StoredStep[]): void {
    for (const { body, jobId } of steps) {
      const step = unpackStep(body);
      if (step.phase === 'begun') this.begin(step);
      else if (step.phase === 'forgotten') this.#forgetFailures();
      else {
        const before = this.#toldAt.get(step.position);
        if (before !== undefined && before.jobId !== jobId) {
          this.callAnew(before);
          this.noteCalled(before, jobId);
        }
        this.#put({ step, jobId, isReady: true, isRecorded: true });
      }
    }
    this.#told = [...this.#toldAt.values()].sort((a, b) => a.step.order - b.step.order);
  }

  begin(step: BegunStep): void {
    this.#lastPosition = Math.max(this.#lastPosition, step.position);
    this.#begunAt.set(step.position, step);
  }

  /** A request has ended: the handler is told when all before it has been told. */
  end(step: Omit<EndedStep, 'order'>): Told {
    const known = this.#toldAt.get(step.position);
    const order = known?.step.order ?? this.#lastOrder + 1;
    const ended: Told = { step: { ...step, order }, jobId: known?.jobId ?? null, isReady: false, isRecorded: false };
    if (known !== undefined) return Object.assign(known, ended);
    this.#put(ended);
    this.#told.push(ended);
    return ended;
  }

  /**
   * Forgets failures that nothing came of: the handler asked for nothing more before its attempt ended, so that the next
   * one may try again what failed. A failure that it went on from stands. True if there were any.
   */
  forgetLastFailures(): boolean {
    const hasForgotten = this.#forgetFailures();
    this.#told = this.#told.filter(({ step }) => this.#toldAt.has(step.position));
    return hasForgotten;
  }

  /** A child is to be called anew, in its place: nothing is known of the one before. */
  callAnew(told: Told): void {
    told.isReady = false;
    for (const { position, operation, name } of [...this.#begunAt.values()]) {
      if (operation === 'result' && name === told.jobId) this.#begunAt.delete(position);
    }
  }

  /** The job that stands for a child is known. */
  noteCalled(told: Told, jobId: string | null): void {
    if (told.jobId !== null && jobId !== null) {
      this.#firstCalled.set(jobId, this.#firstCalled.get(told.jobId) ?? told.jobId);
    }
    told.jobId = jobId;
  }

  #placeAt(position: number): StepPlace | null {
    return this.#toldAt.get(position)?.step ?? this.#begunAt.get(position) ?? null;
  }

  #put(told: Told): void {
    const { position, order } = told.step;
    this.#lastPosition = Math.max(this.#lastPosition, position);
    this.#lastOrder = Math.max(this.#lastOrder, order);
    this.#toldAt.set(position, told);
  }

  #forgetFailures(): boolean {
    const failures = [...this.#toldAt.values()].filter(({ step }) => isFailure(step) && !this.reaches(step.asked));
    for (const { step } of failures) {
      this.#toldAt.delete(step.position);
      this.#begunAt.delete(step.position);
    }
    return failures.length > 0;
  }
}

function isFailure({ outcome }: EndedStep): boolean {
  return outcome.kind === 'failed' || (outcome.kind === 'finished' && outcome.job?.state !== 'success');
}
