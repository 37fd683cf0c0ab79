import { describe, expect, test } from 'vitest';
import { PostgresServer } from '../../postgres-server/postgres-server.ts';
import { query } from '../../postgres-server/query.ts';
import { startStandby } from '../../postgres-server/standby.ts';

const STATES = 'SELECT application_name AS name, sync_state AS state FROM pg_stat_replication ORDER BY 1';

/** Cancels those that wait for a standby: what they wrote is committed, but only on the primary. */
const WAITING = `SELECT wait_event AS wait, pg_cancel_backend(pid) AS cancel
  FROM pg_stat_activity WHERE wait_event = 'SyncRep'`;

describe('a standby', () => {
  test('that is synchronous has all that was committed, and takes over', async () => {
    await using primary = await PostgresServer.start();
    await query(primary.url, 'CREATE TABLE kept AS SELECT 0 AS number');
    await using standby = await startStandby(primary, { isSynchronous: true });
    expect(await query(primary.url, STATES)).toEqual([{ name: 'standby', state: 'sync' }]);
    await expect(query(standby.url, 'DELETE FROM kept')).rejects.toThrow('read-only');

    await query(primary.url, 'INSERT INTO kept VALUES (1)');
    await primary.kill();
    await standby.promote();
    await query(standby.url, 'INSERT INTO kept VALUES (2)');
    expect(await query(standby.url, 'TABLE kept')).toEqual([{ number: 0 }, { number: 1 }, { number: 2 }]);
  });

  test('that is synchronous and gone holds commits up', async () => {
    await using primary = await PostgresServer.start();
    await using standby = await startStandby(primary, { isSynchronous: true });
    await standby.kill();
    const commit = query(primary.url, 'CREATE TABLE kept ()');
    await expect
      .poll(() => query(primary.url, WAITING), { timeout: 10_000 })
      .toEqual([{ wait: 'SyncRep', cancel: true }]);
    await commit;
  });

  test('that is asynchronous is one of several', async () => {
    await using primary = await PostgresServer.start();
    await using first = await startStandby(primary, { isSynchronous: false });
    await using second = await startStandby(primary, { isSynchronous: false, name: 'second' });
    expect([first.isRunning, second.isRunning]).toEqual([true, true]);
    expect(await query(primary.url, STATES)).toEqual([
      { name: 'second', state: 'async' },
      { name: 'standby', state: 'async' },
    ]);
    await expect(primary.promote()).rejects.toThrow('recovery is not in progress');
  });
});
