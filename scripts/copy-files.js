import { cpSync } from 'node:fs';
import { join } from 'node:path';

/** Puts what is not TypeScript beside the compiled code: `node copy-files.js DIRECTORY`, where src was compiled to. */
const MIGRATIONS = 'backends/postgres/migrations';
const PROTOCOL = 'proto';
const [directory] = process.argv.slice(2);

cpSync(join('src', MIGRATIONS), join(directory, MIGRATIONS), { recursive: true });
// Code looks for it beside the folder that it is in: beside dist it is already.
const beside = join(directory, '..', PROTOCOL);
if (beside !== PROTOCOL) cpSync(PROTOCOL, beside, { recursive: true });
