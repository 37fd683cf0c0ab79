// TypeScript on the storage that the server serves: calls a function that Python runs, and runs one that Python calls.

import { Reseolio } from 'reseolio';

const storage = process.env.RESEOLIO_DB ?? 'lmdb://./reseolio';

interface WordCount {
  readonly words: number;
  readonly language: string;
}

// Concurrency 0: this client calls functions that others run, so that the handler is never used.
const caller = new Reseolio({ storage, workerConcurrency: 0 });
const countWords = caller.durable('text:count-words', (_text: string): WordCount => {
  throw new Error('examples/python/worker.py runs this function');
});

const worker = new Reseolio({ storage });
worker.durable('text:shout', async (text: string) => ({ text: `${text.toUpperCase()}!` }));

await Promise.all([caller.start(), worker.start()]);

const handle = await countWords('to be or not to be');
const { words, language } = await handle.result(10_000);
console.log(`${words} words, counted by ${language}`);

process.once('SIGTERM', () => void Promise.all([caller.stop(), worker.stop()]));
