import { ReseolioError } from '../../core/errors.ts';
import { assertRights, assertSettings } from './check-server.ts';
import { assertNotNewer, migrate, readVersion, SCHEMA_VERSION } from './migrate.ts';
import { readOnly } from './native-errors.ts';
import { type SessionParams, withSession } from './session.ts';

/**
 * Rejects unless the schema is of this version and the user may use it; with `isAutomatic`, an older one is migrated
 * first. Resolves with the server's setting of synchronous_commit.
 */
export async function prepareSchema(params: Readonly<SessionParams & { isAutomatic: boolean }>): Promise<string> {
  const { schema, address, isAutomatic } = params;
  const version = await withSession(params, async (session) => {
    await assertSettings(session, address);
    return readVersion(session, schema);
  });
  if (version === null || version < SCHEMA_VERSION) {
    if (!isAutomatic) {
      const found = version === null ? 'there is no such schema' : `it has version ${version}`;
      throw new ReseolioError(
        'storage_version',
        `${address}: schema ${schema} has to be migrated to version ${SCHEMA_VERSION} (${found}): call migrateStorage()`,
      );
    }
    await migrate(params);
  } else {
    assertNotNewer(version, params);
  }
  return withSession(params, async (session) => {
    await assertRights(session, schema, address);
    const [row] = await session.run(
      `select pg_is_in_recovery() or current_setting('transaction_read_only')::bool, current_setting('synchronous_commit')`,
    );
    if (row?.[0] === 't') throw readOnly(address);
    return row?.[1] ?? 'on';
  });
}
