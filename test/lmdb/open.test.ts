import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { describe, expect, it } from 'vitest';
import { openStorage } from '../../src/backends/open-storage.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import { openLmdb, temporaryDirectory } from '../processes/lmdb-directory.ts';
import { newJob } from '../processes/new-job.ts';

const params = { runtime: createSystemRuntime(), durability: 'strict', migrate: 'auto' } as const;

function putRaw(directory: string, key: Buffer, value: Buffer): Promise<void> {
  const database = open<Buffer, Buffer>({
    path: directory,
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  database.transactionSync(() => {
    void database.put(key, value);
  });
  return database.close();
}

describe('opening an LMDB storage', () => {
  it('makes the directory, for its owner only', async () => {
    const directory = join(temporaryDirectory(), 'with space', 'deep');
    const storage = await openStorage(`lmdb://${encodeURI(directory)}`, params);
    await storage.close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'data.mdb')).isFile()).toBe(true);
  });

  it('keeps its files to their owner, also in a directory that lets others in', async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o755);
    await (await openLmdb(directory)).close();
    expect(statSync(join(directory, 'data.mdb')).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'lock.mdb')).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'wake')).mode & 0o777).toBe(0o700);
  });

  it('refuses a path where directories cannot be made', async () => {
    await expect(openLmdb('/proc/nope/deep')).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it.each([
    [99, 'has format 99'],
    [1, 'use the version that made it'],
  ])('refuses a format of another version: %i', async (version, message) => {
    const directory = temporaryDirectory();
    await putRaw(directory, Buffer.from('\0format'), Buffer.from([0, 0, 0, version]));
    await expect(openLmdb(directory)).rejects.toMatchObject({
      code: 'storage_version',
      message: expect.stringContaining(message),
    });
  });

  it('refuses a database of another program and leaves it alone', async () => {
    const directory = temporaryDirectory();
    await putRaw(directory, Buffer.from('theirs'), Buffer.from('value'));
    await expect(openLmdb(directory)).rejects.toMatchObject({ code: 'storage_unavailable' });
    const database = open({ path: directory, noSubdir: false, encoding: 'binary', keyEncoding: 'binary' });
    expect([...database.getKeys()]).toHaveLength(1);
    await database.close();
  });

  it.each(['text', '\0'.repeat(8192)])('refuses a file that is no database (%#)', async (content) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'data.mdb'), content);
    await expect(openLmdb(directory)).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('refuses a path that cannot be a directory', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    await expect(openLmdb(file)).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(openLmdb(join(file, 'below'))).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it.each([
    'redis://localhost',
    './data',
    '',
    'lmdb:data',
    'lmdb://',
    'lmdb://data?cache=1',
    'lmdb://data?commit=never',
    'lmdb://data?commitTimeoutMs=1',
    'lmdb://%zz',
  ])('refuses the URL %j', async (url) => {
    await expect(openStorage(url, params)).rejects.toMatchObject({ code: 'unknown_storage' });
  });

  it('lets several clients of a process share a directory, and others have it after the last', async () => {
    const directory = temporaryDirectory();
    const [first, second] = await Promise.all([openLmdb(directory), openLmdb(directory)]);
    const job = newJob();
    await first.enqueue({ jobs: [job] });
    await first.close();
    expect(await second.getJobs({ jobIds: [job.id] })).toMatchObject([{ id: job.id }]);
    await second.close();
    const third = await openLmdb(directory, '?commit=thread');
    expect(await third.getJobs({ jobIds: [job.id] })).toMatchObject([{ id: job.id }]);
    await third.close();
  });

  it('can be opened at any moment of a close', async () => {
    const directory = temporaryDirectory();
    const jobs = Array.from({ length: 30 }, () => newJob());
    for (const [turns, job] of jobs.entries()) {
      const closing = await openLmdb(directory);
      const enqueued = closing.enqueue({ jobs: [job] });
      const closed = closing.close();
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      const next = await openLmdb(directory);
      await Promise.all([enqueued, closed]);
      expect(await next.getJobs({ jobIds: [job.id] })).toMatchObject([{ id: job.id }]);
      await next.close();
    }
  });

  it('refuses other settings while a process has the directory open', async () => {
    const directory = temporaryDirectory();
    const storage = await openLmdb(directory);
    await expect(openLmdb(directory, '?commit=thread')).rejects.toMatchObject({ code: 'storage_unavailable' });
    await storage.enqueue({ jobs: [newJob()] });
    await storage.close();
  });

  it('keeps what was stored with relaxed durability', async () => {
    const directory = temporaryDirectory();
    const url = `lmdb://${directory}`;
    const storage = await openStorage(url, { ...params, durability: 'relaxed' });
    const job = newJob();
    await storage.enqueue({ jobs: [job] });
    await storage.close();
    const reopened = await openStorage(url, params);
    expect(await reopened.getJobs({ jobIds: [job.id] })).toMatchObject([{ id: job.id }]);
    await reopened.close();
  });
});
