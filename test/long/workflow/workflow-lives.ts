import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestProcess } from '../../processes/child-process.ts';
import { temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { within } from '../postgres/crash-run.ts';
import type { WorkflowBug } from './planted-workflow-bugs.ts';
import type { TrailEntry } from './trail.ts';
import { type LifeParams, live } from './workflow-life.ts';

export interface LivesParams {
  /** Of a storage of its own. */
  readonly url: string;
  /** Where a life ends, counted from 1: at a point, or after so many of them; null: it is not killed. */
  readonly killAt: (life: number) => string | number | null;
  /** What is wrong with a life. */
  readonly bugIn: (life: number) => WorkflowBug | null;
}

/** Far longer than the workflow takes: it hangs. */
const LIFE_MS = 60_000;
const MAX_LIVES = 500;

/** Lives again and again, until one sees the end of the workflow; what all of them left behind. */
export async function liveUntilEnded({ url, killAt, bugIn }: LivesParams): Promise<TrailEntry[]> {
  const file = join(temporaryDirectory(), 'trail');
  for (let life = 1; life <= MAX_LIVES; life++) {
    const params: LifeParams = { url, bug: bugIn(life), trail: { file, life, killAt: killAt(life) } };
    // One that is not killed need not be a process of its own: processes take most of the time.
    const lived = params.trail.killAt === null ? live(params) : liveInProcess(params);
    await within(LIFE_MS, `the end of life ${life}`, lived).catch((error: unknown) => {
      throw new Error(`the last of life ${life}: ${describeLast(file)}`, { cause: error });
    });
    const entries = readTrail(file);
    if (entries.some(({ kind }) => kind === 'ended')) return entries;
    if (!entries.some((entry) => entry.kind === 'killed' && entry.life === life)) {
      throw new Error(`life ${life} ended by itself: ${describeLast(file)}`);
    }
  }
  throw new Error(`the workflow did not end in ${MAX_LIVES} lives`);
}

async function liveInProcess(params: LifeParams): Promise<void> {
  const child = new TestProcess({ script: 'test/long/workflow/workflow-child.js', args: [JSON.stringify(params)] });
  const exitCode = await child.exited();
  if (exitCode !== null && exitCode !== 0) throw new Error(child.stderr);
}

function readTrail(file: string): TrailEntry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as TrailEntry);
}

function describeLast(file: string): string {
  const trail = readTrail(file);
  const kills = trail.filter(({ kind }) => kind === 'killed');
  return `${JSON.stringify(trail.slice(-3))}, after ${JSON.stringify(kills)}`;
}
