import { appendFileSync } from 'node:fs';

/** What a life of the process leaves behind, in the order in which it happened. */
export type TrailEntry = {
  readonly life: number;
  readonly at: number;
} /** A side effect, of a step or of a child; `jobId`: of the job that did it. */ & (
  | { readonly kind: 'effect'; readonly name: string; readonly jobId: string }
  /** The handler was told what a request of this name came to. */
  | { readonly kind: 'told'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'killed'; readonly point: string; readonly detail: string }
  | { readonly kind: 'ended'; readonly ending: Ending }
);

/** How it ended, in the life that saw the end. */
export interface Ending {
  readonly result: unknown;
  /** Of all children that the workflow ever called, the names. */
  readonly children: readonly string[];
  /** All points that this life came to. */
  readonly points: readonly string[];
}

export interface TrailParams {
  readonly file: string;
  /** Counted from 1. */
  readonly life: number;
  /** The point at which this life ends, or how many there are until then; null: it is not killed. */
  readonly killAt: string | number | null;
}

/** Writes down what happens, and kills the process where it is to die. A kill loses nothing of what was written. */
export class Trail {
  readonly life: number;
  readonly #file: string;
  readonly #killAt: string | number | null;
  readonly #points = new Set<string>();

  constructor({ file, life, killAt }: TrailParams) {
    this.#file = file;
    this.life = life;
    this.#killAt = killAt;
  }

  /** All points that were passed. */
  get points(): string[] {
    return [...this.#points];
  }

  /**
   * Something that can be interrupted is about to happen, or has just happened. Each point counts once in a life. `detail`
   * may differ from life to life.
   */
  pass(point: string, detail = ''): void {
    if (this.#points.has(point)) return;
    this.#points.add(point);
    if (point !== this.#killAt && this.#points.size !== this.#killAt) return;
    this.#write({ kind: 'killed', point, detail });
    process.kill(process.pid, 'SIGKILL');
  }

  noteEffect(name: string, jobId: string): void {
    this.#write({ kind: 'effect', name, jobId });
  }

  noteTold(name: string, value: unknown): void {
    this.#write({ kind: 'told', name, value });
  }

  noteEnding(ending: Ending): void {
    this.#write({ kind: 'ended', ending });
  }

  #write(entry: object): void {
    appendFileSync(this.#file, `${JSON.stringify({ life: this.life, at: Date.now(), ...entry })}\n`);
  }
}
