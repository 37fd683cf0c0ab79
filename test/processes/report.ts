import { writeSync } from 'node:fs';

/** Says a line to the process that started this one. In the pipe when this returns, whatever happens next. */
export function report(line: string): void {
  writeSync(1, `${line}\n`);
}
