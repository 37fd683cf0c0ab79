// A job as part of a transaction of Kysely.

import assert from 'node:assert/strict';
import { CompiledQuery, type Generated, Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { Reseolio, type SqlTransaction } from 'reseolio';

interface Database {
  kysely_orders: { id: Generated<number>; cents: number };
}

const databaseUrl = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres';

const db = new Kysely<Database>({
  dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: databaseUrl }) }),
});
await db.schema
  .createTable('kysely_orders')
  .ifNotExists()
  .addColumn('id', 'serial', (column) => column.primaryKey())
  .addColumn('cents', 'integer', (column) => column.notNull())
  .execute();

/** What `tx` takes, made of a transaction of Kysely. */
function asTx(transaction: Transaction<Database>): SqlTransaction {
  return { query: (text, values) => transaction.executeQuery(CompiledQuery.raw(text, values)) };
}

const reseolio = new Reseolio({ storage: databaseUrl });
const charge = reseolio.durable('kysely-orders:charge', async (orderId: number) => {
  const order = await db
    .selectFrom('kysely_orders')
    .select('cents')
    .where('id', '=', orderId)
    .executeTakeFirstOrThrow();
  console.log(`charging ${order.cents} cents for order ${orderId}`);
  return { charged: order.cents };
});
await reseolio.start();

const handle = await db.transaction().execute(async (transaction) => {
  const order = await transaction
    .insertInto('kysely_orders')
    .values({ cents: 1999 })
    .returning('id')
    .executeTakeFirstOrThrow();
  return charge.callWithOptions([order.id], { tx: asTx(transaction) });
});
const { charged } = await handle.result();

await reseolio.stop();
await db.destroy();

assert.equal(charged, 1999);
