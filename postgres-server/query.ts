import { Client, type QueryResultRow } from 'pg';

/** Runs one statement in a connection of its own and resolves with its rows. */
export async function query(url: string, text: string, values: readonly unknown[] = []): Promise<QueryResultRow[]> {
  const client = new Client(url);
  // An end of the connection between statements; one during a statement rejects that.
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<QueryResultRow>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}
