import type { Figure, Goal } from './figure.ts';

const HEADINGS = ['figure', 'median', 'rounds', 'x floor', 'goal', 'met'];

/** A plain table: one line a figure, columns aligned. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = [HEADINGS, ...figures.map(formatRow)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => align(cell, column, widths))
      .join('  ')
      .trimEnd(),
  );
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)].join('\n');
}

function formatRow({ name, value, unit, ratioToFloor, goal, isMet, rounds }: Figure): string[] {
  return [
    name,
    `${formatNumber(value)} ${unit}`,
    `${formatNumber(Math.min(...rounds))} .. ${formatNumber(Math.max(...rounds))}`,
    ratioToFloor === null ? '' : formatNumber(ratioToFloor),
    goal === null ? '' : formatGoal(goal, unit),
    isMet === null ? '' : isMet ? 'yes' : 'no',
  ];
}

function formatGoal({ of, bound, limit }: Goal, unit: string): string {
  return `${bound === 'at most' ? '<=' : '>='} ${formatNumber(limit)} ${of === 'ratio' ? 'x floor' : unit}`;
}

/** Three digits that count. */
function formatNumber(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return Number(value.toPrecision(3)).toString();
}

function align(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] as number;
  return column === 0 || column >= 4 ? cell.padEnd(width) : cell.padStart(width);
}
