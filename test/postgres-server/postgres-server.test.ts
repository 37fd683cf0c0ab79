import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { findInstalledPostgres } from '../../postgres-server/installation.ts';
import { isPortFree } from '../../postgres-server/port.ts';
import { PostgresServer } from '../../postgres-server/postgres-server.ts';
import { query } from '../../postgres-server/query.ts';

const ONE = 'SELECT 1 AS one';

async function showSetting(server: PostgresServer, name: string): Promise<unknown> {
  const [row] = await query(server.url, `SELECT current_setting('${name}') AS value`);
  return row?.value;
}

describe('a server', () => {
  test('answers, and is gone with its directory when it is stopped', async () => {
    await using server = await PostgresServer.start();
    expect(await query(server.url, ONE)).toEqual([{ one: 1 }]);
    expect(server.isRunning).toBe(true);
    await server.stop();
    expect(server.isRunning).toBe(false);
    expect(existsSync(server.directory)).toBe(false);
    expect(await isPortFree(server.port)).toBe(true);
    await expect(server.startAgain()).rejects.toThrow('only a server that has died');
  });

  test('is durable unless it is told otherwise', async () => {
    await using server = await PostgresServer.start({ settings: { synchronous_commit: 'off', work_mem: '5MB' } });
    expect(await showSetting(server, 'fsync')).toBe('on');
    expect(await showSetting(server, 'synchronous_commit')).toBe('off');
    expect(await showSetting(server, 'work_mem')).toBe('5MB');
  });

  test('is one of several', async () => {
    const servers = await Promise.all([PostgresServer.start(), PostgresServer.start()]);
    for (const server of servers) await query(server.url, `CREATE TABLE mine AS SELECT ${server.port} AS port`);
    for (const server of servers) expect(await query(server.url, 'TABLE mine')).toEqual([{ port: server.port }]);
    await Promise.all(servers.map((server) => server.stop()));
  });

  test('that is killed and started again has what was committed', async () => {
    await using server = await PostgresServer.start();
    await query(server.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    await server.kill();
    expect(server.isRunning).toBe(false);
    expect(await isPortFree(server.port)).toBe(true);
    const { url } = server;
    await server.startAgain();
    expect(server.url).toBe(url);
    expect(await query(url, 'TABLE kept')).toEqual([{ one: 1 }]);
    await server.restart();
    expect(await query(url, 'TABLE kept')).toEqual([{ one: 1 }]);
  });

  test('that is killed and stopped leaves nothing', async () => {
    const server = await PostgresServer.start();
    await server.kill();
    await server.stop();
    expect(existsSync(server.directory)).toBe(false);
  });

  test('keeps a directory that it was given, also for the next one', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'reseolio-test-'));
    onTestFinished(() => rm(parent, { recursive: true }));
    await chmod(parent, 0o755);
    const directory = join(parent, 'cluster');
    const first = await PostgresServer.start({ directory });
    await query(first.url, 'CREATE TABLE kept AS SELECT 1 AS one');
    await first.stop();
    await using second = await PostgresServer.start({ directory, port: first.port });
    expect(second.port).toBe(first.port);
    expect(await query(second.url, 'TABLE kept')).toEqual([{ one: 1 }]);
  });

  test('that cannot start says why and leaves nothing', async () => {
    const made: string[] = [];
    const fill = async (directory: string): Promise<void> => void made.push(directory);
    await expect(PostgresServer.start({ fill })).rejects.toThrow('postgresql.conf');
    expect(made.map((directory) => existsSync(directory))).toEqual([false]);
    await expect(PostgresServer.start({ settings: { no_such: 'setting' } })).rejects.toThrow('"no_such"');
    await expect(PostgresServer.start({ binaries: tmpdir() })).rejects.toThrow('ENOENT');
  });

  test('is what the distribution has, if asked', async () => {
    for (const binaries of findInstalledPostgres()) {
      await using server = await PostgresServer.start({ binaries });
      expect(await showSetting(server, 'server_version')).toContain(server.installation.version);
    }
  });
});

describe('the servers that all tests share', () => {
  test('answer', async () => {
    const servers = inject('postgresServers');
    expect(servers[0]?.url).toBe(inject('postgresUrl'));
    for (const { url } of servers) expect(await query(url, ONE)).toEqual([{ one: 1 }]);
  });
});
