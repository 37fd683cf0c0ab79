import { ReseolioError } from '../core/errors.ts';
import { describeValue, isText, LIMITS } from '../core/options.ts';

/** Throws `invalid_argument` unless `name` can be that of `what`, a step, a signal or a change. */
export function assertRequestName(what: string, name: unknown): asserts name is string {
  if (isText(name, LIMITS.requestNameBytes)) return;
  throw new ReseolioError(
    'invalid_argument',
    `the name of ${what} is ${describeValue(name)}: use 1 to ${LIMITS.requestNameBytes} bytes of well-formed text`,
  );
}
