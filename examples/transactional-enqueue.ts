// An order and the job that charges for it, in one transaction: both are there, or neither is.

import assert from 'node:assert/strict';
import pg from 'pg';
import { Reseolio } from 'reseolio';

const databaseUrl = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres';

const pool = new pg.Pool({ connectionString: databaseUrl });
await pool.query('create table if not exists orders (id serial primary key, cents int not null)');

const reseolio = new Reseolio({ storage: databaseUrl });
const charge = reseolio.durable('orders:charge', async (orderId: number) => {
  const { rows } = await pool.query<{ cents: number }>('select cents from orders where id = $1', [orderId]);
  console.log(`charging ${rows[0]?.cents} cents for order ${orderId}`);
  return { charged: rows[0]?.cents };
});
await reseolio.start();

async function placeOrder(cents: number) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query<{ id: number }>('insert into orders (cents) values ($1) returning id', [cents]);
    const orderId = rows[0]?.id as number;
    const handle = await charge.callWithOptions([orderId], { tx: client });
    if (cents > 100_000) throw new Error('the order is too large');
    await client.query('commit');
    return handle;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

// No worker sees the job before the commit, so its result is awaited after it.
const handle = await placeOrder(1999);
const { charged } = await handle.result();
assert.equal(charged, 1999);

// A rollback takes the job along with the order.
const countBefore = await countJobs();
await assert.rejects(placeOrder(1_000_000), /too large/);
assert.equal(await countJobs(), countBefore);
console.log('an order that was rolled back left no job');

async function countJobs(): Promise<number> {
  return (await reseolio.listJobs({ names: [charge.jobName], limit: 1 })).total;
}

await reseolio.stop();
await pool.end();
