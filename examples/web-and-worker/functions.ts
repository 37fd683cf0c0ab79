import type { Reseolio } from 'reseolio';

/** The durable functions of this application. Every process registers them, whether it runs them or only calls them. */
export function registerFunctions(reseolio: Reseolio) {
  const countWords = reseolio.durable('text:count-words', async (text: string) => {
    const words = text.split(/\s+/).filter((word) => word !== '');
    return { words: words.length, countedBy: process.pid };
  });
  return { countWords };
}
