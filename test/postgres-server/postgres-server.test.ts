import { existsSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { PostgresServer } from '../../postgres-server/postgres-server.ts';
import { query } from './query.ts';

describe('a server', () => {
  test('answers, and is gone with its directory when it is stopped', async () => {
    const server = await PostgresServer.start();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(server.isRunning).toBe(true);
    await server.stop();
    expect(server.isRunning).toBe(false);
    expect(existsSync(server.directory)).toBe(false);
  });
});

describe('the servers that all tests share', () => {
  test('answer', async () => {
    const servers = inject('postgresServers');
    expect(servers[0]?.url).toBe(inject('postgresUrl'));
    for (const { url } of servers) expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});
