import { existsSync, readFileSync } from 'node:fs';

/** Memory of a process that it shares with no other, MiB; its resident size where the system does not tell. */
export function readPrivateMebibytes(pid: number | 'self'): number {
  return readMebibytes(pid, /^Private_\w+:\s+(\d+) kB$/gm);
}

/** Memory of a process that is in use, its own and what it shares, MiB. */
export function readResidentMebibytes(pid: number | 'self'): number {
  return readMebibytes(pid, /^Rss:\s+(\d+) kB$/gm);
}

/** The part of it that was written; the rest can be read from its file again. */
export function readWrittenMebibytes(pid: number | 'self'): number {
  return readMebibytes(pid, /^Private_Dirty:\s+(\d+) kB$/gm);
}

function readMebibytes(pid: number | 'self', amounts: RegExp): number {
  const path = `/proc/${pid}/smaps_rollup`;
  if (!existsSync(path)) return process.memoryUsage.rss() / 2 ** 20;
  const rollup = readFileSync(path, 'utf8');
  return [...rollup.matchAll(amounts)].reduce((sum, [, kibibytes]) => sum + Number(kibibytes) / 1024, 0);
}
