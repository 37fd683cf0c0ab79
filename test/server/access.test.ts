import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { TlsFiles } from '../../src/server/grpc-listener.ts';
import type { ServerOptions } from '../../src/server/reseolio-server.ts';
import { startServer } from '../../src/server/reseolio-server.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';
import type { GrpcClient } from './grpc-client.ts';
import { connect, DEFAULTS, serve, serveClient } from './server-fixture.ts';
import { withStatus } from './wire-status.ts';

const TOKEN = 'correct horse battery staple';

/** A certificate of this machine's own, and its key. */
function createTls(): TlsFiles {
  const directory = temporaryDirectory();
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const args = [...request, '-days', '2', '-subj', '/CN=localhost', '-addext', names, '-keyout', key, '-out', cert];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return { cert: readFileSync(cert), key: readFileSync(key), ca: null };
}

async function statusOfCalls(client: GrpcClient): Promise<(keyof typeof status)[]> {
  const enqueued = client.call('EnqueueJob', { name: 'f' }).then(
    () => status.OK,
    (error: { code: status }) => error.code,
  );
  const worker = client.work('w', ['f'], 1);
  const polled = Promise.race([worker.jobs.next().then(() => status.OK), worker.jobs.ended.then(({ code }) => code)]);
  const subscription = client.subscribe();
  subscription.end();
  const subscribed = subscription.completions.ended.then(({ code }) => code);
  const codes = await Promise.all([enqueued, polled, subscribed]);
  return codes.map((code) => status[code] as keyof typeof status);
}

describe('a server with tokens', () => {
  it.each([
    ['none', null],
    ['a wrong one', 'Bearer wrong'],
    ['an empty one', 'Bearer '],
    ['the beginning of one', `Bearer ${TOKEN.slice(0, -1)}`],
    ['one with more behind it', `Bearer ${TOKEN}x`],
    ['another scheme', `Basic ${TOKEN}`],
    ['no scheme', TOKEN],
  ])('refuses every call with %s', async (_title, token) => {
    const client = connect(await serve({ tokens: ['another', TOKEN] }), { token });
    expect(await statusOfCalls(client)).toEqual(Array.from({ length: 3 }, () => 'UNAUTHENTICATED'));
  });

  it('takes calls with one of them', async () => {
    const server = await serve({ tokens: [TOKEN, 'another'] });
    for (const token of [`Bearer ${TOKEN}`, 'bearer another']) {
      expect(await statusOfCalls(connect(server, { token }))).toEqual(['OK', 'OK', 'OK']);
    }
  });
});

describe('a server with TLS', () => {
  it('takes callers that trust its certificate, and no others', async () => {
    const tls = createTls();
    const server = await serve({ tls });
    const trusting = connect(server, { credentials: credentials.createSsl(tls.cert) });
    expect(await statusOfCalls(trusting)).toEqual(['OK', 'OK', 'OK']);
    for (const untrusting of [credentials.createSsl(), credentials.createInsecure()]) {
      const call = connect(server, { credentials: untrusting }).call('EnqueueJob', { name: 'f' });
      await expect(call).rejects.toMatchObject(withStatus('UNAVAILABLE'));
    }
  });

  it('with a CA takes callers that have a certificate of it, and no others', async () => {
    const own = createTls();
    const callers = createTls();
    const server = await serve({ tls: { ...own, ca: callers.cert } });
    const known = connect(server, { credentials: credentials.createSsl(own.cert, callers.key, callers.cert) });
    expect(await statusOfCalls(known)).toEqual(['OK', 'OK', 'OK']);
    const stranger = createTls();
    for (const unknown of [
      credentials.createSsl(own.cert),
      credentials.createSsl(own.cert, stranger.key, stranger.cert),
    ]) {
      const call = connect(server, { credentials: unknown }).call('EnqueueJob', { name: 'f' });
      await expect(call).rejects.toMatchObject(withStatus('UNAVAILABLE'));
    }
  });
});

describe('an address that others can reach', () => {
  const tls = createTlsOnce();

  it.each([
    ['nothing', null, false],
    ['a token alone', [TOKEN], false],
    ['TLS alone', null, true],
  ])('is refused with %s', async (_title, tokens, hasTls) => {
    for (const address of ['0.0.0.0:0', '[::]:0', '192.0.2.1:0', 'example.org:0', '127.evil.example:0']) {
      const options: ServerOptions = { ...DEFAULTS, address, tokens, tls: hasTls ? tls() : null };
      await expect(startServer(options)).rejects.toMatchObject({ code: 'invalid_option' });
    }
  });

  it('is served with both, or if it is said to be insecure', async () => {
    const secure = await serve({ address: '0.0.0.0:0', tokens: [TOKEN], tls: tls() });
    expect(secure.address).toMatch(/^0\.0\.0\.0:[1-9]/);
    await serve({ address: '0.0.0.0:0', isInsecure: true });
  });

  it.each(['', 'localhost', '50051', ':50051', '127.0.0.1:65536', '127.0.0.1:x', '::1:50051', '127.0.0.1:-1'])(
    'cannot be %j',
    async (address) => {
      await expect(startServer({ ...DEFAULTS, address })).rejects.toMatchObject({ code: 'invalid_option' });
    },
  );
});

/** Made when it is first asked for, within a test. */
function createTlsOnce(): () => TlsFiles {
  let tls: TlsFiles | null = null;
  return () => {
    tls ??= createTls();
    return tls;
  };
}

describe('what is too large', () => {
  it('a message is refused, and the connection goes on', async () => {
    const client = await serveClient();
    const args = Buffer.from(JSON.stringify(['x'.repeat(2_000_000)]));
    const call = client.call('EnqueueJob', { name: 'f', args });
    await expect(call).rejects.toMatchObject(withStatus('RESOURCE_EXHAUSTED'));
    const largest = Buffer.from(JSON.stringify('x'.repeat(1_048_574)));
    const { jobId } = await client.call('EnqueueJob', { name: 'f', args: largest });
    expect((await client.call('GetJob', { jobId })).args).toHaveLength(1_048_576);
    const worker = client.work('w', ['f'], 1);
    expect((await worker.jobs.next()).args).toHaveLength(1_048_576);
  });

  it('a message ends a stream', async () => {
    const client = await serveClient();
    const worker = client.work('w', ['f'], 1);
    worker.register({ workerId: 'w', names: ['x'.repeat(2_000_000)] });
    expect(await worker.jobs.ended).toMatchObject(withStatus('RESOURCE_EXHAUSTED'));
  });

  it('metadata are refused', async () => {
    const server = await serve();
    const many = connect(server, { token: 'x'.repeat(20_000) });
    await expect(many.call('ListJobs', {})).rejects.toMatchObject(withStatus('RESOURCE_EXHAUSTED'));
    expect(await many.work('w', ['f'], 1).jobs.ended).toMatchObject(withStatus('RESOURCE_EXHAUSTED'));
    const call = connect(server, { token: 'x'.repeat(100_000) }).call('ListJobs', {});
    await expect(call).rejects.toMatchObject({ code: expect.any(Number) });
    expect((await connect(server).call('ListJobs', {})).total).toBe(0);
  });
});
