import { query } from '../postgres-server/query.ts';
import { InsertFloor } from './insert-floor.ts';
import type { PostgresTarget } from './storage-under-test.ts';

export interface PostgresTargetParams {
  readonly serverUrl: string;
  readonly serverPid: number | null;
  /** What the names of all schemas begin with. */
  readonly schemaPrefix: string;
}

/** Storages that are schemas of one database. The floor is a table beside them. */
export async function openPostgresTarget(params: PostgresTargetParams): Promise<PostgresTarget> {
  const { serverUrl, serverPid, schemaPrefix } = params;
  const schemaOf = (name: string): string => `${schemaPrefix}${name}`;
  const floor = await InsertFloor.open({ serverUrl, schema: schemaOf('floor'), isPrepared: false });
  return {
    kind: 'postgres',
    serverUrl,
    serverPid,
    floor,
    schemaOf,
    urlOf: (name) => {
      const url = new URL(serverUrl);
      url.searchParams.set('schema', schemaOf(name));
      return url.href;
    },
    remove: async (name) => {
      await query(serverUrl, `drop schema if exists "${schemaOf(name)}" cascade`);
    },
    close: () => floor.close(),
  };
}
