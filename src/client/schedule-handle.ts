import type { ScheduleState } from '../core/schedule-record.ts';
import type { ScheduleAccess, ScheduleReference } from './schedule-access.ts';
import type { ScheduleChange } from './schedule-options.ts';
import type { ScheduleDetails } from './schedule-overview.ts';

/** A schedule. Any number of handles, in any process that opened the storage, can stand for one. */
export class ScheduleHandle {
  readonly id: string;
  readonly name: string;
  readonly #access: ScheduleAccess;

  /** Made by the client: call `schedule` of a durable function, or `getSchedule`. */
  constructor(access: ScheduleAccess, { id, name }: ScheduleReference) {
    this.#access = access;
    this.id = id;
    this.name = name;
  }

  /** All that the schedule says, and where it is. A deleted one can still be read. */
  async details(): Promise<ScheduleDetails> {
    return this.#access.readDetails(this.id);
  }

  async status(): Promise<ScheduleState> {
    return (await this.details()).status;
  }

  /** The occurrence that comes next, Unix milliseconds; null while it is paused, and once it is deleted. */
  async nextRunAt(): Promise<number | null> {
    return (await this.details()).nextRunAt;
  }

  /** The last occurrence that a job was made for, Unix milliseconds; null if there was none yet. */
  async lastRunAt(): Promise<number | null> {
    return (await this.details()).lastRunAt;
  }

  /**
   * Makes no more jobs until it is resumed. Resolves once that is durable; without effect on one that is paused. Jobs that
   * were made stay as they are.
   *
   * @throws ReseolioError `schedule_not_found` if it was deleted.
   */
  async pause(): Promise<void> {
    return this.#access.pause(this.id);
  }

  /**
   * Goes on with the next occurrence from now; those that came while it was paused are not made up for. Resolves once that
   * is durable; without effect on one that is active.
   *
   * @throws ReseolioError `schedule_not_found` if it was deleted.
   */
  async resume(): Promise<void> {
    return this.#access.resume(this.id);
  }

  /**
   * Changes what the schedule says. Resolves once that is durable. With another cron or time zone, what comes next is
   * counted from now.
   *
   * @throws ReseolioError `invalid_cron`, `invalid_timezone`, `invalid_option`, `payload_unserializable`,
   *   `payload_too_large`; `schedule_not_found` if it was deleted.
   */
  async update(change: ScheduleChange): Promise<void> {
    return this.#access.update(this.id, change);
  }

  /** Ends the schedule for good and frees its name. Resolves once that is durable, with false if it was deleted before. */
  async delete(): Promise<boolean> {
    return this.#access.delete(this.id);
  }
}
