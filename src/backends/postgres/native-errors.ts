import { ReseolioError } from '../../core/errors.ts';
import { StaleQueryError } from './query.ts';

/** SQLSTATE classes and codes after which the same call may succeed by itself, here or on the server that takes over. */
const PASSING_CLASSES = new Set(['08', '57', '53', '40']);
const PASSING_CODES = new Set([
  '25006', // read only: a standby, or a primary that has become one
  '58030', // an I/O error of the server, which it does not survive if it matters
]);
/** These pass only when somebody does something about it. */
const LASTING_CODES = new Set(['57014', '53100']);

/** After these the connection is of no use, whether or not it is still open. */
const LOST_CLASSES = new Set(['08', '57']);

/** What of an error the server sent; the driver and the system have codes of other forms, or none. */
function sqlState(error: unknown): string | null {
  const code: unknown = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object) ? code : null;
}

/** What neither the server nor the network can be blamed for. */
function isForeign(error: unknown): boolean {
  if (error instanceof StaleQueryError) return true;
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}

/** The call may succeed if it is made again. */
export function isPassing(error: unknown): boolean {
  const state = sqlState(error);
  if (state === null) return !isForeign(error);
  if (LASTING_CODES.has(state)) return false;
  return PASSING_CODES.has(state) || PASSING_CLASSES.has(state.slice(0, 2));
}

/** The connection is gone, or leads to a server that can no longer write. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlState(error);
  if (state === '57014') return false; // the statement was cancelled, the connection is as good as before
  return state === null || state === '25006' || LOST_CLASSES.has(state.slice(0, 2));
}

/** As `pg-pool` says it. */
export const POOL_BUSY = 'timeout exceeded when trying to connect';

/** No connection of the pool became free in time: the server is slow, which it would be to more of them as well. */
export function isPoolBusy(error: unknown): boolean {
  return error instanceof Error && error.message === POOL_BUSY;
}

/** A call that was given a time for it had to wait longer for somebody's transaction. */
export function isLockTimeout(error: unknown): boolean {
  return error instanceof ReseolioError && sqlState(error.cause) === '55P03';
}

/**
 * What an error of the driver, the network or the server means. `address` is where the storage is, with no password;
 * `isSent` says that the call may have reached the server.
 */
export function translateError(error: unknown, address: string, isSent = false): unknown {
  if (error instanceof ReseolioError || isForeign(error)) return error;
  const state = sqlState(error);
  const reason = describeReason(error);
  const unavailable = (message: string): ReseolioError =>
    new ReseolioError('storage_unavailable', `${address}: ${message}`, { cause: error });
  switch (state) {
    case '53100':
      return new ReseolioError('storage_full', `${address}: no room left on the disk of the server (${reason})`, {
        cause: error,
      });
    case '25006':
      return readOnly(address, error);
    case '55P03':
      return unavailable(`another transaction holds what this call needs (${reason}): end it, or try again later`);
    case '42501':
      return unavailable(`a right is missing (${reason}): grant it, or use another user`);
    case '42P01':
    case '42883':
    case '3F000':
      return unavailable(`tables or functions are missing (${reason}): run the migrations`);
    case null:
      return unavailable(
        `the server ${/timeout/i.test(reason) ? 'has not answered in time' : 'cannot be reached'} (${reason})${isSent ? '; whether this call was stored is not known' : ''}`,
      );
    default:
      return unavailable(`${reason} (SQLSTATE ${state})`);
  }
}

export function readOnly(address: string, cause?: unknown): ReseolioError {
  return new ReseolioError(
    'storage_unavailable',
    `${address}: the server is read-only: give the URL of the primary, or of all servers`,
    { cause },
  );
}

/** Errors of several addresses come as one that says nothing itself. */
function describeReason(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(describeReason))].join('; ');
  return error instanceof Error ? error.message : String(error);
}
