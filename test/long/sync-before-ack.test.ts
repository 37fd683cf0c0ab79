import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TestProcess } from '../processes/child-process.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const JOBS = 50;

/** What one traced system call did to the durability of the storage, or said about it. */
type Step =
  | { readonly kind: 'data written' | 'data synced' | 'meta synced' }
  | { readonly kind: 'said'; readonly line: string };

/** The system calls in the order in which they returned. */
function readTrace(path: string): Step[] {
  const steps: Step[] = [];
  const unfinished = new Map<string, string>();
  const syncedDescriptors = new Set<string>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, thread = '', text = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(text)?.[1];
    if (begun !== undefined) {
      unfinished.set(thread, begun);
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)?.[1];
    const call = resumed === undefined ? text : `${unfinished.get(thread)}${resumed}`;
    const opened = /^openat\(.*data\.mdb", [^)]*O_DSYNC.*\) = (\d+)/.exec(call)?.[1];
    if (opened !== undefined) syncedDescriptors.add(opened);
    const step = readCall(call, syncedDescriptors);
    if (step !== null) steps.push(step);
  }
  return steps;
}

/** LMDB writes pages and fdatasyncs them, then writes the meta page through a descriptor that is open O_DSYNC. */
function readCall(call: string, syncedDescriptors: ReadonlySet<string>): Step | null {
  const said = /^write\(1<[^>]*>, "(.*)\\n", \d+\)/.exec(call)?.[1];
  if (said !== undefined) return { kind: 'said', line: said };
  if (!call.includes('data.mdb')) return null;
  if (call.startsWith('fdatasync')) return { kind: 'data synced' };
  const descriptor = /^pwrite64\((\d+)</.exec(call)?.[1];
  if (descriptor !== undefined && syncedDescriptors.has(descriptor)) return { kind: 'meta synced' };
  return /^(pwrite64|pwritev|writev|write)\(/.test(call) ? { kind: 'data written' } : null;
}

describe.each(['thread', 'inline', 'auto'])('enqueue and settle (commits: %s)', (commitMode) => {
  it('resolve after their pages, and the page that makes them count, are on disk', async (context) => {
    if (!hasStrace) return context.skip('strace is not installed');
    const directory = temporaryDirectory();
    const trace = join(directory, 'trace');
    const writer = new TestProcess({
      wrapper: [
        'strace',
        '-f',
        '-y',
        '-s',
        '64',
        '-o',
        trace,
        '-e',
        'trace=openat,write,pwrite64,pwritev,writev,fdatasync',
      ],
      script: 'test/processes/lmdb-writer.js',
      args: [join(directory, 'storage'), commitMode, String(JOBS)],
    });
    expect(await writer.exited(), writer.stderr).toBe(0);

    const acks = checkOrder(readTrace(trace));
    expect(acks).toBe(2 * JOBS);
  });
});

/** Fails unless each call's pages were written, then synced, then made to count, before it resolved. */
function checkOrder(steps: readonly Step[]): number {
  let acks = 0;
  let done: string[] = [];
  for (const step of steps) {
    if (step.kind !== 'said') {
      if (done.at(-1) !== step.kind) done.push(step.kind);
    } else if (step.line.startsWith('CALLED')) {
      done = [];
    } else if (/^RESOLVED (enqueue|settle)/.test(step.line)) {
      expect(done.slice(0, 3), step.line).toEqual(['data written', 'data synced', 'meta synced']);
      acks++;
    }
  }
  return acks;
}

describe('the check of the order', () => {
  it('fails on a call that resolves between the write and its sync', () => {
    const steps: Step[] = [
      { kind: 'said', line: 'CALLED enqueue' },
      { kind: 'data written' },
      { kind: 'said', line: 'RESOLVED enqueue' },
      { kind: 'data synced' },
      { kind: 'meta synced' },
    ];
    expect(() => checkOrder(steps)).toThrow();
  });
});

describe('a slow disk', () => {
  it('does not hold up the event loop for the length of a sync', async (context) => {
    if (!hasStrace) return context.skip('strace is not installed');
    const directory = temporaryDirectory();
    const syncMs = 300;
    const writer = new TestProcess({
      wrapper: [
        'strace',
        '-f',
        '-o',
        '/dev/null',
        '-e',
        'trace=fdatasync',
        '-e',
        `inject=fdatasync:delay_enter=${syncMs * 1000}`,
      ],
      script: 'test/processes/lmdb-writer.js',
      args: [join(directory, 'storage'), 'auto', '5'],
    });
    expect(await writer.exited(), writer.stderr).toBe(0);
    const longestTurnMs = Number((await writer.line('longest turn')).split(' ')[2]);
    expect(longestTurnMs).toBeLessThan(syncMs * 0.8);
  });
});
