import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchReport } from './bench-report.ts';
import { drawPlots } from './plots.ts';

/**
 * Keeps a report in `directory`, which is made if it is not there: its figures as `<date>.json`, and pictures of them, which
 * take the place of those of the run before. Resolves with the paths.
 */
export async function keepResults(report: BenchReport, directory: string): Promise<string[]> {
  const files = [
    { name: `${report.startedAt.slice(0, 10)}.json`, content: `${JSON.stringify(report, null, 2)}\n` },
    ...(await drawPlots(report)),
  ];
  mkdirSync(directory, { recursive: true });
  return files.map(({ name, content }) => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  });
}
