import { ReseolioError } from '../../core/errors.ts';
import { describeValue } from '../../core/options.ts';

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,30}$/;

export const DEFAULT_SCHEMA = 'reseolio';

/** Throws `unknown_storage` unless `name` can name the schema. It needs quotes nonetheless: `user` is a key word. */
export function assertSchemaName(name: unknown): asserts name is string {
  if (typeof name === 'string' && SCHEMA_NAME.test(name)) return;
  throw new ReseolioError(
    'unknown_storage',
    `${describeValue(name)} cannot name a schema: use 1 to 31 of a-z 0-9 _, not beginning with a digit`,
  );
}

/** `sql` with each `{schema}` replaced by the name as an identifier, and `{schema_text}` by the name as text. */
export function inSchema(schema: string, sql: string): string {
  return sql.replaceAll('{schema}', `"${schema}"`).replaceAll('{schema_text}', `'${schema}'`);
}
