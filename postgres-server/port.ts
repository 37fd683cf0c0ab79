import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the ports that systems hand out to clients: a server that starts again must find its port free, and a client
 * that tries a port nobody listens on must not meet itself there.
 */
const FIRST_PORT = 15_000;
const LAST_PORT = 31_999;
const MAX_TRIES = 100;

/** Resolves with a port of the loopback address that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`none of ${MAX_TRIES} ports is free`);
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
