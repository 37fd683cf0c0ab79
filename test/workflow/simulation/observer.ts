/** What a job was told at one place of its handler. */
interface Told {
  readonly value: unknown;
  /** A job that was called. */
  readonly isCall: boolean;
}

/** Sees what handlers do, whichever process they run in, and notes what must not be. */
export class Observer {
  readonly violations: string[] = [];
  /**
   * Children in whose place others were called: a violation, unless they have died or were cancelled and the handler has not
   * heard of that, which is another place.
   */
  readonly calledAnew: { readonly jobId: string; readonly violation: string }[] = [];
  /** Of steps whose results handlers were told: they must not run again. */
  readonly #doneSteps = new Set<string>();
  /** What has to be told again, by job and place. */
  readonly #settled = new Map<string, Told>();
  readonly #counts = new Map<string, number>();
  readonly #diedAt = new Map<string, Set<string>>();
  handlerRuns = 0;

  note(violation: string): void {
    if (this.violations.length < 20) this.violations.push(violation);
  }

  /** How often this was called with `key` before. */
  count(key: string): number {
    const before = this.#counts.get(key) ?? 0;
    this.#counts.set(key, before + 1);
    return before;
  }

  /** Whether `jobId`, called at `site`, is one of the first `deaths` there, which are to die. */
  isToDie(site: string, deaths: number, jobId: string): boolean {
    const died = this.#diedAt.get(site) ?? new Set();
    this.#diedAt.set(site, died);
    if (!died.has(jobId) && died.size >= deaths) return false;
    died.add(jobId);
    return true;
  }

  beginStep(key: string, toldBefore: ReadonlyMap<string, Told>): void {
    if (this.#doneSteps.has(key)) this.note(`${key} ran again after its handler was told that it was done`);
    for (const [place, told] of toldBefore) this.#settled.set(place, told);
  }

  endStep(key: string): void {
    this.#doneSteps.add(key);
  }

  tell(key: string, told: Told): void {
    const before = this.#settled.get(key);
    if (before === undefined || isSame(before.value, told.value)) return;
    const violation = `${key} was told ${JSON.stringify(told.value)}; steps ran after it was ${JSON.stringify(before.value)}`;
    if (told.isCall) this.calledAnew.push({ jobId: before.value as string, violation });
    else this.note(violation);
  }
}

export type { Told };

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
