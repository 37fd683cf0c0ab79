import pc from 'picocolors';
import { ReseolioError } from '../core/errors.ts';

/** Not in a pipe, whoever asks for it. */
const { bold, dim, red } = pc.createColors(pc.isColorSupported && process.stdout.isTTY === true);

/** Where a command writes to. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export const TERMINAL: Output = {
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
};

export type Cell = string | number | null;

/** Columns as wide as what is in them. Nothing is cut: a terminal that is too narrow wraps. */
export function formatTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map((cell) => (cell === null ? '-' : String(cell))));
  const widths = head.map((title, i) => Math.max(title.length, ...texts.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [bold(line(head)), ...texts.map(line)].join('\n');
}

/** One line for each thing that is known, as wide as the longest name. */
export function formatFields(fields: Readonly<Record<string, Cell>>): string {
  const width = Math.max(...Object.keys(fields).map((key) => key.length));
  return Object.entries(fields)
    .map(([key, value]) => `${dim(key.padEnd(width))}  ${value ?? '-'}`)
    .join('\n');
}

/** Unix milliseconds as people read them, in UTC. */
export function formatTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

export function formatError(error: unknown): string {
  if (error instanceof ReseolioError) return `${red('error')} ${error.code}: ${error.message}`;
  return `${red('error')} ${error instanceof Error ? error.message : String(error)}`;
}
