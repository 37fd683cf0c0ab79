import { translateError } from './native-errors.ts';
import { AS_TEXT, type ClientLike, checkIn, checkOut } from './pool-like.ts';
import type { PoolSource } from './primary-pool.ts';
import type { Row } from './query.ts';
import { inSchema } from './schema-name.ts';

export interface SessionParams {
  readonly source: PoolSource;
  readonly schema: string;
  /** Where the storage is, for messages. */
  readonly address: string;
  /** How long one statement may take, milliseconds. */
  readonly timeoutMs: number;
}

/** One connection for several statements. `{schema}` in them stands for the schema. */
export class Session {
  readonly #client: ClientLike;
  readonly #params: SessionParams;

  constructor(client: ClientLike, params: SessionParams) {
    this.#client = client;
    this.#params = params;
  }

  /** Without values `sql` may be several statements. */
  async run(sql: string, values?: unknown[]): Promise<Row[]> {
    const { schema, timeoutMs } = this.#params;
    const text = inSchema(schema, sql);
    const config = { ...AS_TEXT, text, query_timeout: timeoutMs };
    const { rows } = await this.#client.query(values === undefined ? config : { ...config, values });
    return rows as Row[];
  }
}

/** Calls `use` with a connection, which is given up if that rejects. Rejects with a `ReseolioError`. */
export async function withSession<Result>(
  params: SessionParams,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  let client: ClientLike | null = null;
  try {
    client = await checkOut(await params.source.acquire());
    const result = await use(new Session(client, params));
    checkIn(client, false);
    return result;
  } catch (error) {
    if (client !== null) checkIn(client, true);
    throw translateError(error, params.address);
  }
}
