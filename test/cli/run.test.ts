import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatJson } from '../../src/cli/format-json.ts';
import { freshSchema, urlWith } from '../postgres/postgres-fixture.ts';
import { createStorage, fillStorage, runCli, runCliJson } from './cli-fixture.ts';

describe('reseolio', () => {
  test('prints its version and its help', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await runCli('--version')).toEqual({ code: 0, out: version, err: '' });
    expect(await runCli('--help')).toMatchObject({ code: 0, out: expect.stringContaining('serve [options]') });
  });

  test.each([[[]], [['jobs']], [['nonsense']], [['counts', '--nonsense']], [['jobs', 'show']]])(
    'answers %j with exit code 2 and how it is used',
    async (args) => {
      const { code, out, err } = await runCli(...args);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toMatch(/usage|error/i);
    },
  );

  test('says what is wrong with a storage', async () => {
    expect(await runCli('counts', '--storage', 'mysql://host/jobs')).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining('unknown_storage'),
    });
  });
});

describe('reseolio counts', () => {
  test('counts by function and status', async () => {
    await fillStorage(createStorage());
    const { code, out } = await runCli('counts');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.split(/ +/))).toEqual([
      ['NAME', 'PENDING', 'RUNNING', 'SUCCESS', 'DEAD', 'CANCELLED'],
      ['orders:charge', '0', '0', '0', '1', '0'],
      ['sums:add', '1', '0', '1', '0', '0'],
    ]);
    expect(await runCliJson('counts')).toContainEqual({
      name: 'sums:add',
      pending: 1,
      running: 0,
      success: 1,
      dead: 0,
      cancelled: 0,
    });
  });

  test('--storage goes before RESEOLIO_DB', async () => {
    await fillStorage(createStorage());
    const filled = process.env.RESEOLIO_DB as string;
    createStorage();
    expect(await runCliJson('counts')).toEqual([]);
    expect(await runCliJson('counts', '--storage', filled)).toHaveLength(2);
  });
});

describe('reseolio migrate', () => {
  test('makes the schema that other commands ask for', async () => {
    const storage = ['--storage', urlWith({ schema: freshSchema() })];
    expect(await runCli('counts', ...storage)).toMatchObject({
      code: 1,
      err: expect.stringContaining('storage_version'),
    });
    const first = await runCli('migrate', ...storage);
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^from version 0 to \d+$/) });
    const version = Number(/\d+$/.exec(first.out)?.[0]);
    expect(await runCli('migrate', ...storage)).toMatchObject({ out: `version ${version}: nothing to do` });
    expect(await runCliJson('migrate', ...storage)).toEqual({ from: version, to: version });
    expect(await runCliJson('counts', ...storage)).toEqual([]);
  });

  test('has nothing to do for a storage that has no schema', async () => {
    createStorage();
    expect(await runCli('migrate')).toEqual({ code: 0, out: 'this storage has no schema: nothing to do', err: '' });
    expect(await runCliJson('migrate')).toEqual({ from: 0, to: 0 });
  });
});

test('formatJson writes what JSON lacks as text', () => {
  const value = [1n, Number.NaN, Number.NEGATIVE_INFINITY, Buffer.from('hi'), new Uint8Array([255]), new Date(0)];
  expect(formatJson({ value })).toBe(
    '{"value":["1n","NaN","-Infinity","base64:aGk=","base64:/w==","1970-01-01T00:00:00.000Z"]}',
  );
});
