// A job as part of a transaction of Drizzle, with storage and application on one pool.

import assert from 'node:assert/strict';
import { eq, type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable, serial } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { Reseolio, type SqlTransaction } from 'reseolio';

const orders = pgTable('drizzle_orders', { id: serial().primaryKey(), cents: integer().notNull() });

const databaseUrl = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres';
const pool = new pg.Pool({ connectionString: databaseUrl, max: 20 });
const db = drizzle({ client: pool });
await db.execute(sql`create table if not exists drizzle_orders (id serial primary key, cents integer not null)`);

/** What `tx` takes, made of a transaction of Drizzle: that numbers parameters by itself, in the order of their places. */
function asTx(transaction: { execute(query: SQL): PromiseLike<unknown> }): SqlTransaction {
  return {
    async query(text, values) {
      const [first, ...rest] = text.split(/\$(\d+)/);
      const chunks = [sql.raw(first as string)];
      for (let i = 0; i < rest.length; i += 2) {
        chunks.push(sql`${sql.param(values[Number(rest[i]) - 1])}`, sql.raw(rest[i + 1] as string));
      }
      return transaction.execute(sql.join(chunks));
    },
  };
}

const reseolio = new Reseolio({ storage: pool });
const charge = reseolio.durable('drizzle-orders:charge', async (orderId: number) => {
  const [order] = await db.select().from(orders).where(eq(orders.id, orderId));
  console.log(`charging ${order?.cents} cents for order ${orderId}`);
  return { charged: order?.cents };
});
await reseolio.start();

const handle = await db.transaction(async (transaction) => {
  const [order] = await transaction.insert(orders).values({ cents: 1999 }).returning();
  assert(order);
  return charge.callWithOptions([order.id], { tx: asTx(transaction) });
});
const { charged } = await handle.result();

await reseolio.stop();
// The storage leaves a pool open that it was given.
await pool.end();

assert.equal(charged, 1999);
