import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Reseolio, ResultTimeoutError } from 'reseolio';
import { registerFunctions } from './functions.ts';

// Concurrency 0: this process enqueues and awaits results, and leaves the running to the worker.
const reseolio = new Reseolio({ storage: 'lmdb://./web-and-worker', workerConcurrency: 0 });
const { countWords } = registerFunctions(reseolio);
await reseolio.start();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const handle = await countWords(await text(request));
  try {
    response.end(JSON.stringify(await handle.result(5000)));
  } catch (error) {
    // What takes longer is not lost, only late: the browser can ask for the job again.
    response.statusCode = error instanceof ResultTimeoutError ? 202 : 500;
    response.end(JSON.stringify({ jobId: handle.jobId }));
  }
}

const server = createServer((request, response) => void answer(request, response));
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));

process.once('SIGTERM', () => {
  server.close();
  server.closeIdleConnections();
  void reseolio.stop();
});
