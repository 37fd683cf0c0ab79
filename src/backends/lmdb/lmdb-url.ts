import { resolve } from 'node:path';
import { ReseolioError } from '../../core/errors.ts';
import { COMMIT_MODES, type CommitMode } from './commit-mode.ts';
import { COMMIT_TIMEOUT_MS } from './committer.ts';
import type { EnvironmentParams } from './environment.ts';

/**
 * Reads `lmdb://PATH[?commit=auto|inline|thread][&commitTimeoutMs=30000]`. PATH is relative to the working directory
 * unless it begins with a slash, and percent-decoded.
 */
export function parseLmdbUrl(url: string): Omit<EnvironmentParams, 'durability'> {
  const [path = '', query = ''] = url.slice('lmdb://'.length).split('?', 2);
  if (path === '') throw invalid(url, 'it names no directory');
  const parameters = new URLSearchParams(query);
  for (const key of parameters.keys()) {
    if (key !== 'commit' && key !== 'commitTimeoutMs') throw invalid(url, `it has the unknown parameter ${key}`);
  }
  return {
    directory: resolve(decodePath(url, path)),
    commitMode: readCommitMode(url, parameters.get('commit') ?? 'auto'),
    commitTimeoutMs: readTimeout(url, parameters.get('commitTimeoutMs')),
  };
}

function decodePath(url: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalid(url, 'its path is not percent-encoded properly');
  }
}

function readCommitMode(url: string, given: string): CommitMode {
  const mode = COMMIT_MODES.find((known) => known === given);
  if (mode === undefined) throw invalid(url, `commit is one of ${COMMIT_MODES.join(', ')}`);
  return mode;
}

function readTimeout(url: string, given: string | null): number {
  const timeoutMs = given === null ? COMMIT_TIMEOUT_MS : Number(given);
  if (!(timeoutMs >= 100 && timeoutMs <= 3_600_000)) throw invalid(url, 'commitTimeoutMs is from 100 to 3600000');
  return timeoutMs;
}

function invalid(url: string, problem: string): ReseolioError {
  return new ReseolioError('unknown_storage', `${JSON.stringify(url)} is no storage URL: ${problem}`);
}
