import { onTestFinished } from 'vitest';
import { TestProcess } from '../../processes/child-process.ts';

interface Answered {
  readonly isRight: boolean;
  readonly ms: number;
}

/** A process of `client-child.ts`, and what it has told. */
export class ClientNode {
  readonly process: TestProcess;
  readonly enqueued = new Set<string>();
  readonly results = new Map<string, Answered>();
  readonly rejections: { readonly ms: number; readonly reason: string }[] = [];
  /** Attempts that were begun, as `<id> <attempt>`. */
  readonly ran: string[] = [];

  /** Killed when the test ends. */
  constructor({ url, leaseMs, name = 'node' }: Readonly<{ url: string; leaseMs: number; name?: string }>) {
    this.process = new TestProcess({
      script: 'test/long/postgres/client-child.js',
      args: [url, `${leaseMs}`, name],
      onLine: (line) => this.#record(line),
    });
    onTestFinished(() => this.process.kill());
  }

  /** Of the calls that were answered, the longest time to the result. */
  get longestResultMs(): number {
    return Math.max(0, ...[...this.results.values()].map(({ ms }) => ms));
  }

  get longestRejectionMs(): number {
    return Math.max(0, ...this.rejections.map(({ ms }) => ms));
  }

  /** What was acknowledged but had no result, or a wrong one. */
  get unanswered(): string[] {
    return [...this.enqueued].filter((id) => this.results.get(id)?.isRight !== true);
  }

  #record(line: string): void {
    const [verb, first = '', second = '', third = ''] = line.split(' ');
    if (verb === 'enqueued') this.enqueued.add(first);
    if (verb === 'result') this.results.set(first, { isRight: second === 'true', ms: Number(third) });
    if (verb === 'rejected') this.rejections.push({ ms: Number(first), reason: line });
    if (verb === 'ran') this.ran.push(`${first} ${second}`);
  }
}
