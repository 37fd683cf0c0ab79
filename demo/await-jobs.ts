import type { JobHandle } from '../src/index.ts';

/** A job that is this long overdue will not come. */
const STALL_MS = 60_000;

interface AwaitJobsParams {
  /** At least one. */
  readonly handles: readonly Pick<JobHandle, 'result'>[];
  /** Ends the wait with its reason. */
  readonly signal: AbortSignal;
  /** Called whenever a job has ended, well or badly, with how many have. */
  readonly onEnded: (ended: number) => void;
}

/** Resolves when all jobs have ended, or when for a minute none did. */
export async function awaitJobs({ handles, signal, onEnded }: Readonly<AwaitJobsParams>): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    let ended = 0;
    let isOver = false;

    function end(settle: () => void): void {
      isOver = true;
      clearTimeout(stall);
      settle();
    }

    function countEnded(): void {
      if (isOver) return;
      stall.refresh();
      onEnded(++ended);
      if (ended === handles.length) end(resolve);
    }

    const stall = setTimeout(() => end(resolve), STALL_MS);
    signal.addEventListener('abort', () => end(() => reject(signal.reason)), { once: true });
    // Why a job failed is told by the check, which reads its outcome anew.
    for (const handle of handles) void handle.result().then(countEnded, countEnded);
  });
}
