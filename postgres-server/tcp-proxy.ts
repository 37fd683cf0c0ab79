import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type CutParams, type Faults, TcpLane } from './tcp-lane.ts';

export interface TcpProxyParams {
  /** Of a server on 127.0.0.1. */
  readonly targetPort: number;
}

/** Of what goes each way, in milliseconds. */
export interface DelayParams {
  readonly toServerMs: number;
  readonly toClientMs: number;
}

interface Connection {
  readonly sockets: readonly [client: Socket, server: Socket];
  readonly lanes: readonly [toServer: TcpLane, toClient: TcpLane];
}

/** A network of a test's own between clients and a server, which fails in the way and at the moment that it says. */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #connections = new Set<Connection>();
  readonly #faults: Faults = { isStalled: false, delayMs: { toServer: 0, toClient: 0 }, cuts: new Map() };
  /** Those that have failed on one side, of which the other cannot know during a stall. */
  readonly #broken = new Set<Connection>();
  #isRefusing = false;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  /** Resolves once the proxy takes connections. */
  static async start({ targetPort }: TcpProxyParams): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** Of 127.0.0.1, where clients connect instead of to the server. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resets all connections, on both sides. What is held is lost. New ones are taken. */
  cutAll(): void {
    for (const connection of this.#connections) cut(connection);
  }

  /** Whether new connections are reset as soon as they are made. Those that are open stay. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  /** Delays what comes from now on. The order stays. */
  delay({ toServerMs, toClientMs }: DelayParams): void {
    this.#faults.delayMs.toServer = toServerMs;
    this.#faults.delayMs.toClient = toClientMs;
  }

  /** Holds everything back, as a network does that loses all packets: nobody is told. New connections are taken. */
  stall(): void {
    this.#faults.isStalled = true;
  }

  /** Ends a stall: what was held goes on. */
  resume(): void {
    this.#faults.isStalled = false;
    for (const connection of this.#broken) cut(connection);
    this.#broken.clear();
    for (const { lanes } of this.#connections) for (const lane of lanes) lane.pump();
  }

  /**
   * Cuts one connection, the first in which a chunk matches, right before or after this chunk is forwarded. Nothing
   * else gets through: with a forwarded COMMIT the client does not learn what became of it. Resolves when that is done.
   */
  cutAfter(params: CutParams): Promise<void> {
    return new Promise((resolve) => this.#faults.cuts.set(params, resolve));
  }

  /** Cuts all connections and takes no more. Resolves when the port is free. */
  async stop(): Promise<void> {
    this.#isRefusing = true;
    this.cutAll();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(client: Socket): void {
    if (this.#isRefusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const faults = this.#faults;
    const connection: Connection = {
      sockets: [client, server],
      lanes: [
        new TcpLane({ direction: 'toServer', from: client, to: server, faults }),
        new TcpLane({ direction: 'toClient', from: server, to: client, faults }),
      ],
    };
    this.#connections.add(connection);
    for (const socket of connection.sockets) {
      socket.on('error', () => (this.#faults.isStalled ? this.#broken.add(connection) : cut(connection)));
      socket.on('close', () => {
        if (connection.sockets.every((each) => each.closed)) this.#connections.delete(connection);
      });
    }
  }
}

function cut({ sockets, lanes }: Connection): void {
  for (const lane of lanes) lane.clear();
  for (const socket of sockets) if (!socket.destroyed) socket.resetAndDestroy();
}
