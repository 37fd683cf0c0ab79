import { ReseolioError } from '../core/errors.ts';
import { assertJobName, describeValue } from '../core/options.ts';

/** Joins parts of a name with ':'; throws `invalid_name` for parts that are empty or hold ':' or '/'. */
export function joinNamespace(parts: readonly string[]): string {
  for (const part of parts as readonly unknown[]) {
    if (typeof part !== 'string' || part === '' || /[:/]/.test(part)) {
      throw new ReseolioError('invalid_name', `${describeValue(part)} is no part of a name: use text without : and /`);
    }
  }
  const name = parts.join(':');
  assertJobName(name);
  return name;
}
