import { PlainCron } from './plain-cron.ts';

/** Times inside of the gaps and overlaps that there are, seldom ones, intervals, and what lies in between. */
export const EXPRESSIONS: readonly PlainCron[] = [
  '0 0 * * *',
  '30 0 * * *',
  '30 1 * * *',
  '0 2 * * *',
  '15 2 * * *',
  '30 2 * * *',
  '0 3 * * *',
  '30 23 * * *',
  '30 2 * * 0',
  '0 0 1 * *',
  '30 2 29 3 *',
  '30 0 1,15 * 0',
  '*/15 * * * *',
  '0 * * * *',
  '*/15 * * * 4',
  '*/20 */2 * * *',
  '*/15 1-3 * * *',
].map((text) => new PlainCron(text));

/** More occurrences than this a day are compared on the days around changes only. */
const SPARSE_TIMES_OF_DAY = 1;

export function isSparse(cron: PlainCron): boolean {
  return cron.timesOfDay.length <= SPARSE_TIMES_OF_DAY;
}
