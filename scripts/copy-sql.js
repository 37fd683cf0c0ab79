import { cpSync } from 'node:fs';
import { join } from 'node:path';

/** Puts the migrations beside the compiled code: `node copy-sql.js DIRECTORY`, where src was compiled to. */
const MIGRATIONS = 'backends/postgres/migrations';
const [directory] = process.argv.slice(2);

cpSync(join('src', MIGRATIONS), join(directory, MIGRATIONS), { recursive: true });
