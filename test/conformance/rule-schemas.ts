import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { migratePostgres } from '../../src/backends/postgres/open-postgres.ts';

/** Schemas that rules use one after the other: a new one for each would take longer than the rules. */
export class RuleSchemas {
  readonly #serverUrl: string;
  readonly #made: string[] = [];
  readonly #free: string[] = [];
  #operator: Promise<Client> | null = null;

  constructor(serverUrl: string) {
    this.#serverUrl = serverUrl;
  }

  /** One that is as new, with a clock in the place of the server's that stands still at `startAt`. */
  async take(startAt: number): Promise<string> {
    const schema = this.#free.pop() ?? (await this.#make());
    await this.#run(`update ${schema}.driven_clock set ms = ${startAt}`);
    return schema;
  }

  async advance(schema: string, ms: number): Promise<void> {
    await this.#run(`update ${schema}.driven_clock set ms = ms + ${ms}`);
  }

  /** Nobody has it open any more. */
  async giveBack(schema: string): Promise<void> {
    await this.#run(
      `do $$ declare v_table text; begin
        for v_table in select tablename from pg_tables
          where schemaname = '${schema}' and tablename not in ('migrations', 'driven_clock')
        loop
          execute format('delete from ${schema}.%I', v_table);
        end loop;
        perform setval(s.oid, 1, false) from pg_class s
          where s.relkind = 'S' and s.relnamespace = '${schema}'::regnamespace;
      end $$`,
    );
    this.#free.push(schema);
  }

  async drop(): Promise<void> {
    for (const schema of this.#made) await this.#run(`drop schema ${schema} cascade`);
    await (await this.#operator)?.end();
  }

  async #make(): Promise<string> {
    const schema = `rule_${randomBytes(6).toString('hex')}`;
    await migratePostgres(`${this.#serverUrl}?schema=${schema}`);
    this.#made.push(schema);
    await this.#run(
      `create table ${schema}.driven_clock as select 0::float8 as ms;
      create or replace function ${schema}.clock_ms() returns float8 language sql volatile
      as 'select ms from ${schema}.driven_clock'`,
    );
    return schema;
  }

  async #run(sql: string): Promise<void> {
    this.#operator ??= connect(this.#serverUrl);
    await (await this.#operator).query(sql);
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client(url);
  await client.connect();
  return client;
}
