import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { ReseolioError } from '../core/errors.ts';
import type { Durability } from '../core/storage.ts';
import type { TlsFiles } from '../server/grpc-listener.ts';
import type { ServerOptions } from '../server/reseolio-server.ts';
import { addStorageOption, parseCount } from './command-options.ts';
import type { Output } from './terminal.ts';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

interface ServeFlags {
  readonly storage: string;
  readonly address: string;
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly durability: Durability;
  readonly insecure?: boolean;
  readonly grace: number;
  readonly lease: number;
  readonly json?: boolean;
}

/** `reseolio serve`: the storage for programs of any language. */
export function createServeCommand({ out, err }: Output): Command {
  const serve = new Command('serve').description('serve a storage to programs of any language, over gRPC');
  return addStorageOption(serve)
    .addOption(
      new Option('--address <host:port>', 'port 0: a free one').env('RESEOLIO_ADDR').default('127.0.0.1:50051'),
    )
    .addOption(new Option('--token-file <file>', 'tokens, one a line, that callers bring').env('RESEOLIO_TOKEN_FILE'))
    .addOption(new Option('--tls-cert <file>', 'certificate, PEM').env('RESEOLIO_TLS_CERT'))
    .addOption(new Option('--tls-key <file>', 'its key, PEM').env('RESEOLIO_TLS_KEY'))
    .addOption(new Option('--tls-ca <file>', 'callers need a certificate of these, PEM').env('RESEOLIO_TLS_CA'))
    .addOption(
      new Option('--durability <kind>', 'relaxed: answers survive a crash of the process, not a power cut')
        .choices(['strict', 'relaxed'])
        .default('strict'),
    )
    .option('--insecure', 'allow an address that others reach without token and TLS')
    .option('--grace <ms>', 'how long workers get to answer when the server stops', parseCount, 10_000)
    .option('--lease <ms>', 'when the jobs of a server that died run elsewhere', parseCount, 15_000)
    .option('--json', 'print JSON lines')
    .action(async (flags: ServeFlags) => {
      const options = readOptions(flags);
      const { startServer } = await import('../server/reseolio-server.ts');
      const server = await startServer(options);
      const { address } = server;
      // Whoever reads the line may signal at once.
      const signalled = nextSignal();
      const { storage, json } = flags;
      const shown = storage.replace(/\/\/[^/?#]*@/, '//***@');
      out(
        json
          ? JSON.stringify({ event: 'listening', address, storage: shown })
          : `listening on ${address}, storage ${shown}`,
      );
      const signal = await Promise.race([signalled, server.failed.then(() => null)]);
      if (signal === null) {
        await server.stop();
        throw await server.failed;
      }
      err(json ? JSON.stringify({ event: 'stopping', signal }) : `${signal}: stopping`);
      await server.stop();
    });
}

function readOptions(flags: ServeFlags): ServerOptions {
  return {
    storage: flags.storage,
    durability: flags.durability,
    address: flags.address,
    tokens: flags.tokenFile === undefined ? null : readTokens(flags.tokenFile),
    tls: readTls(flags),
    isInsecure: flags.insecure === true,
    shutdownGraceMs: flags.grace,
    leaseMs: flags.lease,
  };
}

function readTokens(path: string): string[] {
  const lines = readPath(path).toString('utf8').split(/\r?\n/);
  const tokens = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (tokens.length > 0) return tokens;
  throw new ReseolioError('invalid_option', `${path} holds no token: put one on a line`);
}

function readTls({ tlsCert, tlsKey, tlsCa }: ServeFlags): TlsFiles | null {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new ReseolioError('invalid_option', 'TLS takes both --tls-cert and --tls-key');
  }
  return { cert: readPath(tlsCert), key: readPath(tlsKey), ca: tlsCa === undefined ? null : readPath(tlsCa) };
}

function readPath(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ReseolioError('invalid_option', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** The signal after it ends the process at once. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const take = (signal: NodeJS.Signals): void => {
      for (const each of STOP_SIGNALS) process.off(each, take);
      resolve(signal);
    };
    for (const each of STOP_SIGNALS) process.on(each, take);
  });
}
