import { isIP } from 'node:net';
import { ReseolioError } from '../core/errors.ts';
import { describeValue } from '../core/options.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** @throws ReseolioError `invalid_option`. */
export function parseAddress(address: string): ServerAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new ReseolioError(
      'invalid_option',
      `address is ${describeValue(address)}: use HOST:PORT, [::1]:50051 for IPv6`,
    );
  }
  return { host, port };
}

export function formatAddress({ host, port }: ServerAddress): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Only this machine can reach it. */
export function isLoopback({ host }: ServerAddress): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
