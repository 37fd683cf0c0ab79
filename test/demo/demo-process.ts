import { type ChildProcess, execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../.build/demo/main.js', import.meta.url));
const FILE_BYTES = 300_000;

/** For a run with kills, whose jobs come back after a lease each. */
export const RUN_TIMEOUT_MS = 120_000;

export interface DemoRun {
  readonly exitCode: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Runs the demo in a process of its own, with `workingDirectory` as its own. Resolves when it has ended. */
export function runDemo(
  workingDirectory: string,
  args: readonly string[],
  onOutput?: (text: string, child: ChildProcess) => void,
): Promise<DemoRun> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { cwd: workingDirectory }, (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode, lines: stdout.trimEnd().split('\n'), stderr });
    });
    child.stdout?.on('data', (text: string) => onOutput?.(text, child));
  });
}

/** Fills `directory`, and one below it, with `count` files that take a while to compress, and one that is hidden. */
export function writeFiles(directory: string, count: number): void {
  mkdirSync(join(directory, 'below', '.hidden'), { recursive: true });
  for (let i = 0; i < count; i++) writeFileSync(join(directory, i % 2 === 0 ? '' : 'below', `${i}.txt`), content(i));
  writeFileSync(join(directory, 'below', '.hidden', 'left-out.txt'), 'hidden');
}

/** Text that differs from file to file and takes gzip a while. */
function content(seed: number): string {
  let text = '';
  for (let i = 0; text.length < FILE_BYTES; i++) text += createHash('sha256').update(`${seed}:${i}`).digest('hex');
  return text;
}
