import { describe, expect, it } from 'vitest';
import { parsePostgresUrl } from '../../src/backends/postgres/postgres-url.ts';

describe('a postgres:// URL', () => {
  it('has defaults for everything but the server', () => {
    expect(parsePostgresUrl('postgres://localhost/app')).toEqual({
      connectionStrings: ['postgres://localhost/app'],
      isSearching: false,
      address: 'postgres://localhost/app',
      isPlaintextToOthers: false,
      schema: 'reseolio',
      poolMax: 10,
      isListening: true,
      listenUrl: null,
      timeoutMs: 30_000,
    });
  });

  it('holds what is ours and hands on what is not', () => {
    const url =
      'postgresql://u:p%40ss@db:6432/app?schema=jobs&application_name=me&poolMax=3&listen=off&timeoutMs=500&sslmode=require';
    expect(parsePostgresUrl(url)).toMatchObject({
      connectionStrings: ['postgres://u:p%40ss@db:6432/app?application_name=me&sslmode=require'],
      schema: 'jobs',
      poolMax: 3,
      isListening: false,
      timeoutMs: 500,
      isPlaintextToOthers: false,
    });
    const listenUrl = 'postgres://u@direct/app?sslmode=require';
    const pooled = `postgres://u@pooler/app?${new URLSearchParams({ listenUrl })}`;
    expect(parsePostgresUrl(pooled)).toMatchObject({
      listenUrl: { connectionStrings: [listenUrl], address: 'postgres://direct/app' },
      connectionStrings: ['postgres://u@pooler/app'],
    });
  });

  it('names several servers', () => {
    const parsed = parsePostgresUrl('postgres://u:p@a:5432,b:5433,[::1]/app?target_session_attrs=read-write');
    expect(parsed.connectionStrings).toEqual([
      'postgres://u:p@a:5432/app',
      'postgres://u:p@b:5433/app',
      'postgres://u:p@[::1]/app',
    ]);
    expect(parsed.isSearching).toBe(true);
    expect(parsePostgresUrl('postgres://a,b/app').isSearching).toBe(true);
    expect(parsePostgresUrl('postgres://a/app?target_session_attrs=primary').isSearching).toBe(true);
  });

  it('leaves out of messages who connects and with what password', () => {
    expect(parsePostgresUrl('postgres://u:secret@a:1,b:2/app?password=secret').address).toBe('postgres://a:1,b:2/app');
  });

  it.each([
    ['postgres://localhost/app', false],
    ['postgres://127.0.0.1:5432,[::1]:5432/app', false],
    ['postgres:///app?host=/var/run/postgresql', false],
    ['postgres://db.example/app?sslmode=disable', false],
    ['postgres://db.example/app?sslmode=verify-full', false],
    ['postgres://db.example/app', true],
    ['postgres://localhost,db.example/app', true],
  ])('%s goes unencrypted to others without a word: %s', (url, isPlaintextToOthers) => {
    expect(parsePostgresUrl(url)).toMatchObject({ isPlaintextToOthers });
  });

  it.each([
    'postgres://localhost/app?schema=',
    'postgres://localhost/app?schema=Jobs',
    'postgres://localhost/app?schema=1jobs',
    'postgres://localhost/app?schema=a-b',
    'postgres://localhost/app?schema=a"b',
    `postgres://localhost/app?schema=${'a'.repeat(32)}`,
    'postgres://localhost/app?poolMax=1',
    'postgres://localhost/app?poolMax=ten',
    'postgres://localhost/app?poolMax=1e1',
    'postgres://localhost/app?listen=maybe',
    'postgres://localhost/app?timeoutMs=0',
    'postgres://localhost/app?target_session_attrs=standby',
    'postgres://u:12345/secret@localhost/app',
    'postgres://localhost:1234/secret@localhost/app',
    'postgres://localhost/app/secret',
    'postgres://localhost/app?listenUrl=secret',
    'postgres://u:secret@local host:x/app',
    'postgres://u:secret@localhost:notaport/app',
  ])('%s is refused, and no password shown', (url) => {
    let message = 'not refused';
    try {
      const { connectionStrings } = parsePostgresUrl(url);
      message = `taken for ${connectionStrings}`;
    } catch (error) {
      expect(error).toMatchObject({ code: 'unknown_storage' });
      message = (error as Error).message;
    }
    expect(message).toMatch(/use |not encoded properly/);
    expect(message).not.toContain('secret');
  });
});
