import type { DurableFunction, JobHandle } from '../src/index.ts';
import type { CompressedFile } from './compress-file.ts';
import type { FloorProbe } from './floor-probe.ts';

/** So many calls are awaited one by one, to be timed; the rest goes in one write. */
const LONE_CALLS = 200;

interface EnqueueFilesParams {
  readonly compress: DurableFunction<[path: string], CompressedFile>;
  readonly paths: readonly string[];
  readonly probe: Pick<FloorProbe, 'measureMs'>;
  readonly signal: AbortSignal;
}

export interface EnqueuedFiles {
  /** By position as the paths. */
  readonly jobIds: readonly string[];
  /** Median milliseconds of a call that was awaited alone. */
  readonly enqueueP50Ms: number;
  /** Median milliseconds of what the probe measures, in turns with the calls. */
  readonly floorP50Ms: number;
}

/** Enqueues a job for each path. Resolves once all are durable. */
export async function enqueueFiles({
  compress,
  paths,
  probe,
  signal,
}: Readonly<EnqueueFilesParams>): Promise<EnqueuedFiles> {
  const handles: JobHandle<CompressedFile>[] = [];
  const enqueueTimesMs: number[] = [];
  const floorTimesMs: number[] = [];
  for (const path of paths.slice(0, LONE_CALLS)) {
    signal.throwIfAborted();
    floorTimesMs.push(await probe.measureMs());
    const startedAt = performance.now();
    handles.push(await compress(path));
    enqueueTimesMs.push(performance.now() - startedAt);
  }
  const rest = paths.slice(LONE_CALLS).map((path): [string] => [path]);
  if (rest.length > 0) handles.push(...(await compress.enqueueMany(rest)));
  return {
    jobIds: handles.map((handle) => handle.jobId),
    enqueueP50Ms: median(enqueueTimesMs),
    floorP50Ms: median(floorTimesMs),
  };
}

/** To the microsecond; the upper of the two middle values where their number is even. */
function median(timesMs: readonly number[]): number {
  const middle = timesMs.toSorted((a, b) => a - b)[Math.floor(timesMs.length / 2)] ?? 0;
  return Number(middle.toFixed(3));
}
