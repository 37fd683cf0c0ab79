/** Which schedule an event tells of. */
export interface ScheduleEvent {
  readonly scheduleId: string;
  readonly name: string;
}

export interface ScheduleFireEvent extends ScheduleEvent {
  readonly jobId: string;
  /** The occurrence that the job is for, Unix milliseconds. */
  readonly dueAt: number;
  /** How much later it was fired, milliseconds on the storage's clock. */
  readonly lagMs: number;
}

export interface ScheduleSkipEvent extends ScheduleEvent {
  /** `missed`: no scheduler came to them before the next one. `overlap`: the job of the one before has not ended. */
  readonly reason: 'missed' | 'overlap';
  /** The first of those that get no job, Unix milliseconds. */
  readonly dueAt: number;
}

export interface ScheduleErrorEvent extends ScheduleEvent {
  readonly error: unknown;
}

/** What a client tells of the schedules that it fires itself. */
export interface SchedulerEvents {
  /** A job was made for an occurrence, and is durable. */
  'schedule:fire': ScheduleFireEvent;
  /** Occurrences came that get no job. */
  'schedule:skip': ScheduleSkipEvent;
  /** This process cannot tell when a schedule is due, since it does not know its time zone; another may. */
  'schedule:error': ScheduleErrorEvent;
}
