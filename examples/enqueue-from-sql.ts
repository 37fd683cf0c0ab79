// Jobs that the database enqueues, in psql or in a trigger, and a worker in TypeScript runs.

import assert from 'node:assert/strict';
import pg from 'pg';
import { Reseolio } from 'reseolio';

const databaseUrl = process.env.DATABASE_URL ?? 'postgres://postgres@localhost/postgres';

const reseolio = new Reseolio({ storage: databaseUrl });
reseolio.durable('customers:greet', async (name: string, { isBack }: { isBack: boolean }) => {
  return `${isBack ? 'Welcome back' : 'Welcome'}, ${name}`;
});
reseolio.durable('pictures:resize', async (id: number, path: string) => `picture ${id}: ${path} resized`);

// Makes the schema with the function in it, if need be.
await reseolio.start();

const client = new pg.Client(databaseUrl);
await client.connect();

// A name, the arguments as a JSON array, and options as a call has them.
const { rows: greetings } = await client.query<{ job_id: string }>(`
  select reseolio.enqueue('customers:greet', '["Ada", {"isBack": true}]', '{"delayMs": 100, "maxAttempts": 5}') as job_id
`);
const greeting = await reseolio.getHandle<string>(greetings[0]?.job_id as string).result();
console.log(greeting);
assert.equal(greeting, 'Welcome back, Ada');

// A trigger enqueues as part of the transaction that fires it.
await client.query(`
  create table if not exists pictures (id serial primary key, path text not null, job_id uuid);

  create or replace function resize_picture() returns trigger language plpgsql as $$
  begin
    new.job_id := reseolio.enqueue('pictures:resize', jsonb_build_array(new.id, new.path));
    return new;
  end $$;

  drop trigger if exists resize on pictures;
  create trigger resize before insert on pictures for each row execute function resize_picture();
`);
const { rows: pictures } = await client.query<{ job_id: string }>(
  `insert into pictures (path) values ('cat.jpg') returning job_id`,
);
const picture = await reseolio.getHandle<string>(pictures[0]?.job_id as string).result();
console.log(picture);
assert.match(picture, /cat.jpg resized$/);

// What is wrong with a call is an error of the statement, and nothing is stored.
await assert.rejects(
  client.query(`select reseolio.enqueue('customers:greet', '["Ada"]', '{"delay": 100}')`),
  /option delay is 100: it is unknown, or out of range/,
);

await client.end();
await reseolio.stop();
