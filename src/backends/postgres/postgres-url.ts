import { ReseolioError } from '../../core/errors.ts';
import { assertSchemaName, DEFAULT_SCHEMA } from './schema-name.ts';

/** Where a storage is, and how to talk to it. */
export interface PostgresUrl {
  /** One for each server, as `pg` takes it. Only one of them takes writes at a time. */
  readonly connectionStrings: readonly string[];
  /** Which of the servers takes writes has to be found out. */
  readonly isSearching: boolean;
  /** Hosts and database, for messages: no user, no password. */
  readonly address: string;
  readonly isPlaintextToOthers: boolean;
  readonly schema: string;
  readonly poolMax: number;
  readonly isListening: boolean;
  /** A direct connection for LISTEN, where the main one goes through a pooler. */
  readonly listenUrl: PostgresUrl | null;
  readonly timeoutMs: number;
}

/** Those that `pg` does not hear of; docs/postgres.md explains each. */
export const OWN_PARAMETERS: readonly string[] = [
  'schema',
  'poolMax',
  'listen',
  'listenUrl',
  'timeoutMs',
  'target_session_attrs',
];
const URL_PARTS = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(\/[^?#/@]*)?(?:\?([^#]*))?$/;
const WRITABLE = new Set(['read-write', 'primary', 'any']);
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]|)$/;

/**
 * Reads `postgres://user:password@host:port,host:port/database?…`. Beside what `pg` takes (`sslmode`,
 * `application_name`…): `schema` (default reseolio), `poolMax` (2 to 100, default 10), `listen=off`, `listenUrl`,
 * `timeoutMs` (how long a call may wait for the server, 100 to 600 000, default 30 000), and `target_session_attrs`,
 * which is read-write whether it is said or not.
 */
export function parsePostgresUrl(url: string): PostgresUrl {
  const parts = URL_PARTS.exec(url);
  if (parts === null)
    throw invalid('use postgres://user@host:5432/database, with what is special in it percent-encoded');
  const [, user, hostList = '', path = '', query = ''] = parts;
  const parameters = new URLSearchParams(query);
  const own = new Map(OWN_PARAMETERS.map((key) => [key, parameters.get(key)]));
  for (const key of OWN_PARAMETERS) parameters.delete(key);
  const schema = own.get('schema') ?? DEFAULT_SCHEMA;
  assertSchemaName(schema);
  const attributes = own.get('target_session_attrs') ?? null;
  if (attributes !== null && !WRITABLE.has(attributes)) {
    throw invalid(`target_session_attrs is ${attributes}: jobs need a server that takes writes, use read-write`);
  }
  const hosts = hostList.split(',');
  const rest = `${path}${parameters.size > 0 ? `?${parameters}` : ''}`;
  const connectionStrings = hosts.map((host) => `postgres://${user === undefined ? '' : `${user}@`}${host}${rest}`);
  for (const text of connectionStrings) assertUrl(text);
  return {
    connectionStrings,
    isSearching: hosts.length > 1 || attributes !== null,
    address: `postgres://${hostList}${path}`,
    isPlaintextToOthers: isPlaintext(parameters) && !hosts.every((host) => LOOPBACK.test(host.replace(/:\d+$/, ''))),
    schema,
    poolMax: readNumber('poolMax', own.get('poolMax'), 10, 2, 100),
    isListening: readSwitch('listen', own.get('listen')),
    listenUrl: readListenUrl(own.get('listenUrl') ?? null),
    timeoutMs: readNumber('timeoutMs', own.get('timeoutMs'), 30_000, 100, 600_000),
  };
}

/** Without a word about TLS there is none. Who says `disable` knows. */
function isPlaintext(parameters: URLSearchParams): boolean {
  const isSaid = ['sslmode', 'ssl', 'sslcert', 'sslkey', 'sslrootcert'].some((key) => parameters.has(key));
  return !isSaid && process.env.PGSSLMODE === undefined && !parameters.has('host');
}

/** What `URL` says of a string that it refuses shows the whole of it, password and all. */
function assertUrl(text: string): void {
  if (!URL.canParse(text.replace(/@\/|:\/\/\//, (match) => `${match.slice(0, -1)}host/`))) {
    throw invalid('a host, port, user or password in it is not encoded properly');
  }
}

/** A URL like the main one: several hosts, and all that `pg` takes, but nothing of ours. */
export function readListenUrl(url: string | null): PostgresUrl | null {
  if (url === null) return null;
  try {
    return parsePostgresUrl(url);
  } catch (error) {
    throw error instanceof ReseolioError ? invalid(`listenUrl is no such URL itself (${error.message})`) : error;
  }
}

function readNumber(key: string, given: string | null | undefined, standard: number, min: number, max: number): number {
  if (given === null || given === undefined) return standard;
  const value = Number(given);
  if (/^\d+$/.test(given) && value >= min && value <= max) return value;
  throw invalid(`${key} is ${JSON.stringify(given)}: use a whole number from ${min} to ${max}`);
}

function readSwitch(key: string, given: string | null | undefined): boolean {
  if (given === null || given === undefined || given === 'on') return true;
  if (given === 'off') return false;
  throw invalid(`${key} is ${JSON.stringify(given)}: use on or off`);
}

function invalid(problem: string): ReseolioError {
  return new ReseolioError('unknown_storage', `the postgres:// URL cannot be read: ${problem}`);
}
