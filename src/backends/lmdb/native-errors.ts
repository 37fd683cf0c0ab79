import { statfsSync } from 'node:fs';
import { constants } from 'node:os';
import { ReseolioError } from '../../core/errors.ts';

const { EDQUOT, EIO, ENOSPC } = constants.errno;

/** LMDB reports a full disk as EIO when a page does not fit, so the disk itself is asked. */
const FULL_BELOW_BYTES = 1_048_576;

/**
 * What a failed commit means. A full disk (`storage_full`) leaves everything as it was and passes; any other failure
 * (`storage_failed`) is final for this process, since after a failed sync the kernel may report later ones as done.
 */
export function translateCommitError(error: unknown, directory: string): ReseolioError {
  const reason = error instanceof Error ? error.message : String(error);
  if (isDiskFull(error, directory)) {
    return new ReseolioError(
      'storage_full',
      `no room left on the disk of ${directory}: nothing of this call was stored`,
      { cause: error },
    );
  }
  return storageFailed(`the commit failed (${reason})`, directory, error);
}

export function storageFailed(what: string, directory: string, cause?: unknown): ReseolioError {
  return new ReseolioError(
    'storage_failed',
    `${directory}: ${what}; nothing more is acknowledged, restart the process to open it anew`,
    { cause },
  );
}

/** Errors of LMDB and of the system that it passes on carry a number; what our own code throws does not. */
export function isNativeError(error: unknown): boolean {
  return typeof nativeCode(error) === 'number';
}

function nativeCode(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code;
}

function isDiskFull(error: unknown, directory: string): boolean {
  const code = nativeCode(error);
  if (code === ENOSPC || code === EDQUOT) return true;
  if (code !== EIO) return false;
  try {
    const { bavail, bfree, bsize } = statfsSync(directory);
    // Some of what is free is kept for root.
    return (process.getuid?.() === 0 ? bfree : bavail) * bsize < FULL_BELOW_BYTES;
  } catch {
    return false;
  }
}
