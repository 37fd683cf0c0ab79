import { Client } from 'pg';
import { encodePayload } from '../src/core/payload.ts';
import { ARGUMENTS } from './workload.ts';

export interface InsertFloorParams {
  readonly serverUrl: string;
  /** Is made if it is not there. */
  readonly schema: string;
  /** Whether the server parses and plans the statement once, and not each time. */
  readonly isPrepared: boolean;
}

/**
 * The least that a durable job costs a client of Postgres: one row of the same payload by one INSERT in a commit of its
 * own, through `pg` on one connection.
 */
export class InsertFloor {
  readonly #client: Client;
  readonly #statement: { readonly text: string; readonly name?: string };
  readonly #body = encodePayload(ARGUMENTS, 'args').bytes;
  #id = 0;

  static async open({ serverUrl, schema, isPrepared }: InsertFloorParams): Promise<InsertFloor> {
    const client = new Client(serverUrl);
    await client.connect();
    const table = `"${schema}".${isPrepared ? 'prepared' : 'floor'}`;
    await client.query(`create schema if not exists "${schema}"`);
    await client.query(`create table ${table} (id bigint primary key, body bytea not null)`);
    const text = `insert into ${table} (id, body) values ($1, $2)`;
    return new InsertFloor(client, isPrepared ? { text, name: 'floor' } : { text });
  }

  private constructor(client: Client, statement: { readonly text: string; readonly name?: string }) {
    this.#client = client;
    this.#statement = statement;
  }

  async timeWrite(): Promise<number> {
    const values = [++this.#id, this.#body];
    const startedAt = performance.now();
    await this.#client.query({ ...this.#statement, values });
    return performance.now() - startedAt;
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}
