import { Reseolio } from 'reseolio';
import { registerFunctions } from './functions.ts';

const reseolio = new Reseolio({ storage: 'lmdb://./web-and-worker', workerConcurrency: 20 });
registerFunctions(reseolio);
await reseolio.start();

process.once('SIGTERM', () => void reseolio.stop());
