import type { TestProject } from 'vitest/node';
import { findInstalledPostgres } from '../../postgres-server/installation.ts';
import { PostgresServer, type PostgresSettings } from '../../postgres-server/postgres-server.ts';

/** A server that all the tests of a run share: each test makes schemas or databases of its own in it. */
export interface SharedServer {
  readonly name: string;
  readonly url: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** A server of the newest version that is tested. */
    postgresUrl: string;
    /** That one, and the distribution's if it has one. */
    postgresServers: SharedServer[];
  }
}

/** No checkpoint in the middle of a run, which would make some tests slower than others. */
const SETTINGS: PostgresSettings = { checkpoint_timeout: '1h', max_wal_size: '4GB' };

const running: PostgresServer[] = [];

/** A server that does not start fails the run. `TEST_POSTGRES_URL` names one to use instead. */
export async function setup({ provide }: TestProject): Promise<void> {
  const given = process.env.TEST_POSTGRES_URL;
  const servers = given ? [{ name: 'TEST_POSTGRES_URL', url: given }] : await startServers();
  provide('postgresUrl', (servers[0] as SharedServer).url);
  provide('postgresServers', servers);
}

export async function teardown(): Promise<void> {
  await Promise.all(running.map((server) => server.stop()));
}

async function startServers(): Promise<SharedServer[]> {
  const started = ['npm', ...findInstalledPostgres()].map(async (binaries) => {
    const server = await PostgresServer.start({ binaries, settings: SETTINGS });
    running.push(server);
    return { name: `PostgreSQL ${server.installation.version}`, url: server.url };
  });
  return Promise.all(started);
}
