import { register } from 'node:module';

// Loaded with `node --import`: from here on every resolved module URL is written to file descriptor 3.
register('./import-recorder-hooks.js', import.meta.url);
