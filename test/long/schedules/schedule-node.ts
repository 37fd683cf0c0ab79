import { onTestFinished } from 'vitest';
import { TestProcess } from '../../processes/child-process.ts';
import type { ScheduleBug } from './planted-schedule-bugs.ts';
import type { TimedSchedule } from './timed-schedule.ts';

export interface ScheduleChildParams {
  /** Of the storage. */
  readonly url: string;
  /** How far the clock of the process is ahead. */
  readonly shiftMs: number;
  readonly bug: ScheduleBug | null;
  readonly schedules: readonly TimedSchedule[];
}

export interface RanOccurrence {
  readonly scheduleId: string;
  readonly dueAt: number;
  /** When this process heard of it, Unix milliseconds. */
  readonly at: number;
}

/** A process of `schedule-child.ts`, and what it has told. */
export class ScheduleNode {
  readonly process: TestProcess;
  /** By the names of schedules: what the storage's clock read just before. */
  readonly declaredAt = new Map<string, number>();
  readonly ran: RanOccurrence[] = [];
  readonly wrong: string[] = [];
  madeCount = 0;
  /** A firing has begun, and its answer was not heard of. */
  isFiring = false;
  #onFiring: () => void = () => {};

  /** Killed when the test ends. */
  constructor(params: ScheduleChildParams) {
    this.process = new TestProcess({
      script: 'test/long/schedules/schedule-child.js',
      args: [JSON.stringify(params)],
      onLine: (line) => this.#record(line),
    });
    onTestFinished(() => this.process.kill());
  }

  /** Resolves when it has begun the next firing. */
  async nextFiring(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFiring = resolve;
    });
  }

  #record(line: string): void {
    const [verb, first = '', second = ''] = line.split(' ');
    if (verb === 'declared') this.declaredAt.set(first, Number(second));
    if (verb === 'made') this.madeCount++;
    if (verb === 'ran') this.ran.push({ scheduleId: first, dueAt: Number(second), at: Date.now() });
    if (verb === 'wrong') this.wrong.push(line);
    if (verb === 'fired') this.isFiring = false;
    if (verb !== 'firing') return;
    this.isFiring = true;
    this.#onFiring();
  }
}
