import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { TestProcess } from '../processes/child-process.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';
import { createStorage, runCli } from './cli-fixture.ts';

function serve(...args: readonly string[]): TestProcess {
  const server = new TestProcess({ script: 'src/cli/main.js', args: ['serve', ...args] });
  onTestFinished(() => server.kill());
  return server;
}

describe('reseolio serve', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('says where it listens, and ends with 0 at a %s', async (signal) => {
    const storage = createStorage();
    const server = serve('--address', '127.0.0.1:0');
    const line = await server.line('listening');
    expect(line).toMatch(/^listening on 127\.0\.0\.1:[1-9]\d*, storage lmdb:/);
    expect(line.endsWith(storage)).toBe(true);
    server.signal(signal);
    expect(await server.exited()).toBe(0);
    expect(server.stderr).toBe(`${signal}: stopping\n`);
  });

  test('--json prints JSON lines; the environment has the rest', async () => {
    const storage = createStorage();
    vi.stubEnv('RESEOLIO_ADDR', 'localhost:0');
    const server = serve('--json');
    const { event, address, ...rest } = JSON.parse(await server.line('{')) as { event: string; address: string };
    expect(event).toBe('listening');
    expect(address).toMatch(/^localhost:[1-9]\d*$/);
    expect(rest).toEqual({ storage });
    server.signal('SIGTERM');
    expect(await server.exited()).toBe(0);
    expect(JSON.parse(server.stderr)).toEqual({ event: 'stopping', signal: 'SIGTERM' });
  });

  test('fails where another server listens', async () => {
    createStorage();
    const first = serve('--address', '127.0.0.1:0');
    const address = /on (\S+),/.exec(await first.line('listening'))?.[1] as string;
    const second = serve('--address', address);
    expect(await second.exited()).toBe(1);
    expect(second.stderr).toContain(`cannot listen on ${address}`);
  });

  test('refuses an address that others reach, unless they need a token and have TLS', async () => {
    createStorage();
    const tokens = join(temporaryDirectory(), 'tokens');
    writeFileSync(tokens, 'secret\n');
    for (const flags of [[], ['--token-file', tokens]]) {
      const { code, err } = await runCli('serve', '--address', '0.0.0.0:0', ...flags);
      expect(code).toBe(1);
      expect(err).toContain('pass a token and TLS');
      expect(err).not.toContain('secret');
    }
    const server = serve('--address', '0.0.0.0:0', '--insecure');
    expect(await server.line('listening')).toMatch(/^listening on 0\.0\.0\.0:[1-9]/);
  });

  test.each([
    [['--address', 'nowhere'], 'use HOST:PORT'],
    [['--token-file', 'no-such-file'], 'cannot read no-such-file'],
    [['--token-file', '/dev/null'], 'holds no token'],
    [['--tls-cert', '/dev/null'], 'both --tls-cert and --tls-key'],
    [['--lease', '5'], 'leaseMs'],
  ])('refuses %j', async (flags, message) => {
    createStorage();
    expect(await runCli('serve', '--address', '127.0.0.1:0', ...flags)).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining(message),
    });
  });
});
