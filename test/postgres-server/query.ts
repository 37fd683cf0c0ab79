import { Client, type QueryResultRow } from 'pg';

/** Runs one statement in a connection of its own and resolves with its rows. */
export async function query(url: string, text: string): Promise<QueryResultRow[]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query<QueryResultRow>(text)).rows;
  } finally {
    await client.end();
  }
}
