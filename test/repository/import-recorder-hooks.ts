import { writeSync } from 'node:fs';
import type { ResolveHook } from 'node:module';

/** Called by Node for each module that is imported, on a thread of its own. */
export const resolve: ResolveHook = async (specifier, context, nextResolve) => {
  const resolved = await nextResolve(specifier, context);
  writeSync(3, `${resolved.url}\n`);
  return resolved;
};
