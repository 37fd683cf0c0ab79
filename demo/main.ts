import { constants } from 'node:os';
import { ReseolioError } from '../src/index.ts';
import { parseArguments, USAGE, UsageError } from './parse-arguments.ts';
import { Progress } from './progress.ts';
import { runDemo } from './run-demo.ts';

/** Why the demo ends early, which is nobody's fault. */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Resolves with the exit code. */
async function main(): Promise<number> {
  const progress = new Progress({ output: process.stdout, isTerminal: process.stdout.isTTY });
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const exitCode = 128 + constants.signals[signal];
    process.once(signal, () => interruption.abort(new Interrupted(`interrupted by ${signal}`, exitCode)));
  }
  // Such as `npm run demo | head -3`.
  process.stdout.on('error', ({ message }) => interruption.abort(new Interrupted(`cannot print: ${message}`, 1)));
  try {
    const parsed = parseArguments(process.argv.slice(2));
    if (parsed === null) {
      console.log(USAGE);
      return 0;
    }
    const summary = await runDemo({ ...parsed, progress, signal: interruption.signal });
    console.log(JSON.stringify(summary));
    return summary.lost + summary.wrong === 0 ? 0 : 1;
  } catch (error) {
    progress.end();
    return explain(error);
  }
}

/** Says what went wrong, and gives the exit code. */
function explain(error: unknown): number {
  if (error instanceof UsageError || (error instanceof ReseolioError && error.code === 'unknown_storage')) {
    console.error(`demo: ${error.message} (--help shows how to use it)`);
    return 2;
  }
  if (error instanceof Interrupted) {
    console.error(`demo: ${error.message}`);
    return error.exitCode;
  }
  // Nothing of this program is to blame for a server that is not there.
  const isUnavailable = error instanceof ReseolioError && error.code === 'storage_unavailable';
  console.error(isUnavailable ? `demo: ${error.message}` : error);
  return 1;
}

process.exitCode = await main();
