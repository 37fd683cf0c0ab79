import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../../postgres-server/port.ts';
import { query } from '../../postgres-server/query.ts';
import { SCHEMA_VERSION } from '../../src/backends/postgres/migrate.ts';
import { migratePostgres } from '../../src/backends/postgres/open-postgres.ts';
import { migrateStorage, Reseolio } from '../../src/index.ts';
import { ids, newJob } from '../processes/new-job.ts';
import { freshSchema, open, serverUrl, urlWith } from './postgres-fixture.ts';

/** A role that may log in and nothing else, and the URL of its own. */
async function createRole(password = 'open-sesame'): Promise<{ role: string; url: URL }> {
  const role = freshSchema();
  await query(serverUrl, `create role ${role} login password '${password}'`);
  onTestFinished(async () => {
    await query(serverUrl, `drop owned by ${role}`);
    await query(serverUrl, `drop role ${role}`);
  });
  const url = new URL(serverUrl);
  url.username = role;
  url.password = password;
  return { role, url };
}

async function tablesOf(schema: string): Promise<string[]> {
  const rows = await query(serverUrl, 'select tablename from pg_tables where schemaname = $1', [schema]);
  return rows.map(({ tablename }) => String(tablename));
}

describe('opening a postgres:// storage', () => {
  it('makes its schema, and opens it again', async () => {
    const schema = freshSchema();
    const storage = await open(urlWith({ schema }));
    const job = newJob();
    await storage.enqueue({ jobs: [job] });
    await storage.close();
    const again = await open(urlWith({ schema }));
    expect(await again.getJobs({ jobIds: [job.id] })).toMatchObject([{ id: job.id }]);
  });

  it('takes any schema name that is allowed, key words too', async () => {
    for (const schema of ['user', '_', 'a'.repeat(31)]) {
      onTestFinished(async () => {
        await query(serverUrl, `drop schema "${schema}" cascade`);
      });
      const storage = await open(urlWith({ schema }));
      const job = newJob();
      await storage.enqueue({ jobs: [job] });
      expect((await storage.counts())[0]?.pending).toBe(1);
      await storage.close();
    }
  });

  it('by many nodes at once makes one schema', async () => {
    const schema = freshSchema();
    const storages = await Promise.all(Array.from({ length: 8 }, () => open(urlWith({ schema, poolMax: '2' }))));
    await Promise.all(storages.map((storage) => storage.enqueue({ jobs: [newJob()] })));
    expect((await storages[0]?.counts())?.[0]?.pending).toBe(8);
    const versions = await query(serverUrl, `select version from ${schema}.migrations order by version`);
    expect(versions.map(({ version }) => version)).toEqual(Array.from({ length: SCHEMA_VERSION }, (_, i) => i + 1));
  });

  it('refuses the schema of a newer version, and leaves it as it is', async () => {
    const schema = freshSchema();
    await migratePostgres(urlWith({ schema }));
    await query(serverUrl, `insert into ${schema}.migrations (version, name) values (1000, 'from the future')`);
    const refusal = { code: 'storage_version', message: expect.stringContaining('version 1000') };
    await expect(open(urlWith({ schema }))).rejects.toMatchObject(refusal);
    await expect(migratePostgres(urlWith({ schema }))).rejects.toMatchObject(refusal);
  });

  it('with manual migrations waits for them', async () => {
    const schema = freshSchema();
    const url = urlWith({ schema });
    const client = new Reseolio({ storage: url, migrate: 'manual', workerConcurrency: 0 });
    await expect(client.start()).rejects.toMatchObject({
      code: 'storage_version',
      message: expect.stringContaining('migrateStorage()'),
    });
    expect(await tablesOf(schema)).toEqual([]);
    expect(await migrateStorage(url)).toEqual({ from: 0, to: SCHEMA_VERSION });
    expect(await migrateStorage(url)).toEqual({ from: SCHEMA_VERSION, to: SCHEMA_VERSION });
    await client.start();
    await client.stop();
    await query(serverUrl, `delete from ${schema}.migrations where version = ${SCHEMA_VERSION}`);
    await expect(open(url, { migrate: 'manual' })).rejects.toMatchObject({
      code: 'storage_version',
      message: expect.stringContaining(`it has version ${SCHEMA_VERSION - 1}`),
    });
  });

  it('that fails in the middle of its migrations leaves nothing behind', async () => {
    const schema = freshSchema();
    await query(serverUrl, `create schema ${schema}`);
    await query(serverUrl, `create table ${schema}.attempts (in_the_way int)`);
    await expect(open(urlWith({ schema }))).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await tablesOf(schema)).toEqual(['attempts']);
  });

  it('says so when nobody listens, when the database is not there, and when the password is wrong', async () => {
    const port = await findFreePort();
    const secret = 'hunter2';
    const refused = `postgres://someone:${secret}@127.0.0.1:${port}/app`;
    const missing = new URL(serverUrl);
    missing.pathname = '/no_such_database';
    for (const url of [refused, missing.href]) {
      const failure = await open(url).catch((error: Error) => error);
      expect(failure).toMatchObject({ code: 'storage_unavailable' });
      expect((failure as Error).message).toMatch(/ECONNREFUSED|does not exist/);
      expect(JSON.stringify(failure) + (failure as Error).message + String((failure as Error).cause)).not.toContain(
        secret,
      );
    }
  });

  it('gives up on a server that accepts and says nothing', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    await expect(open(`postgres://u@127.0.0.1:${port}/app?timeoutMs=300`)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('timeout'),
    });
  });

  it('on a server that takes no writes says so, alone or among several', async () => {
    const { role, url } = await createRole();
    const schema = freshSchema();
    await migratePostgres(urlWith({ schema }));
    await query(serverUrl, `grant usage on schema ${schema} to ${role}`);
    await query(serverUrl, `grant all on all tables in schema ${schema} to ${role}`);
    await query(serverUrl, `grant all on all sequences in schema ${schema} to ${role}`);
    await query(serverUrl, `alter role ${role} set default_transaction_read_only = on`);
    url.searchParams.set('schema', schema);
    await expect(open(url.href)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('read-only'),
    });
    url.searchParams.set('target_session_attrs', 'read-write');
    await expect(open(url.href)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('takes no writes'),
    });
  });

  it('says which rights are missing, before anything is made', async () => {
    const { role, url } = await createRole();
    const schema = freshSchema();
    url.searchParams.set('schema', schema);
    const refusal = (text: string) => ({ code: 'storage_unavailable', message: expect.stringContaining(text) });
    await expect(open(url.href)).rejects.toMatchObject(refusal('may not create it'));
    await query(serverUrl, `create schema ${schema}`);
    await query(serverUrl, `grant usage on schema ${schema} to ${role}`);
    await expect(open(url.href)).rejects.toMatchObject(refusal('may not create tables'));
    expect(await tablesOf(schema)).toEqual([]);
    await migratePostgres(urlWith({ schema }));
    await query(serverUrl, `grant select on ${schema}.migrations to ${role}`);
    await expect(open(url.href)).rejects.toMatchObject(refusal('select, insert, update and delete on queue'));
    await query(serverUrl, `grant select, insert, update, delete on all tables in schema ${schema} to ${role}`);
    await expect(open(url.href)).rejects.toMatchObject(refusal('usage of enqueue_order'));
    await query(serverUrl, `grant usage on all sequences in schema ${schema} to ${role}`);
    await query(serverUrl, `revoke execute on all functions in schema ${schema} from public`);
    await expect(open(url.href)).rejects.toMatchObject(refusal('execute on claim'));
    await query(serverUrl, `grant execute on all functions in schema ${schema} to ${role}`);
    const storage = await open(url.href);
    const job = newJob({ idempotencyKey: 'k' });
    expect(await storage.enqueue({ jobs: [job] })).toMatchObject([{ deduplicated: false }]);
    // Every kind of call, with these rights and no others.
    expect(await storage.enqueue({ jobs: [job, newJob({ idempotencyKey: 'k' })] })).toHaveLength(2);
    const leaseToken = ids.next();
    const claim = { workerId: 'w', leaseToken, names: [job.name], limit: 1, leaseMs: 1 };
    expect((await storage.claim(claim)).jobs).toHaveLength(1);
    const lease = { jobId: job.id, attempt: 1, token: leaseToken };
    await storage.extendLeases({ leases: [lease], leaseMs: 60_000 });
    const outcome = { kind: 'dead', error: { name: 'E', message: 'm', stack: null } } as const;
    for (let i = 0; i < 2; i++) {
      expect(await storage.settle({ settlements: [{ lease, outcome }] })).toMatchObject([{ state: 'dead' }]);
    }
    await storage.retry({ jobIds: [job.id] });
    await storage.cancel({ jobIds: [job.id], isRunningIncluded: false });
    await storage.reclaimExpired({ limit: 10 });
    expect(await storage.prune({ state: 'cancelled', olderThanMs: -1, limit: 10 })).toMatchObject({ pruned: 1 });
  });

  it.each([
    ['bytea_output', 'escape'],
    ['extra_float_digits', '0'],
    ['default_transaction_isolation', "'repeatable read'"],
  ])('refuses a user whose %s is %s, which would change what is read', async (setting, value) => {
    const { role, url } = await createRole();
    const schema = freshSchema();
    await query(serverUrl, `create schema ${schema} authorization ${role}`);
    await query(serverUrl, `alter role ${role} set ${setting} = ${value}`);
    url.searchParams.set('schema', schema);
    await expect(open(url.href)).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining(`${setting} is`),
    });
  });

  it('warns of a connection that is not encrypted, and not of one that need not be', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    onTestFinished(() => void process.off('warning', listen));
    await open('postgres://u:secret@db.invalid/app?timeoutMs=200').catch(() => {});
    await open('postgres://u:secret@db.invalid/app?timeoutMs=200&sslmode=disable').catch(() => {});
    await open(urlWith({ schema: freshSchema() }));
    await new Promise((resolve) => setImmediate(resolve));
    const ours = warnings.filter(({ name }) => name === 'ReseolioWarning');
    expect(ours.map(({ message }) => message)).toEqual([expect.stringContaining('postgres://db.invalid/app')]);
    expect(ours[0]?.message).not.toContain('secret');
  });
});
