import { type DurableFunction, Reseolio } from '../src/index.ts';
import { JOB_NAME, type Mail } from './workload.ts';

export type SendEmail = DurableFunction<[to: string, mail: Mail], void>;

export interface BenchClient {
  readonly reseolio: Reseolio;
  readonly sendEmail: SendEmail;
}

/** A started client with the durable function of the workload, which does nothing. Concurrency 0: it only enqueues. */
export async function startClient(url: string, workerConcurrency: number): Promise<BenchClient> {
  const reseolio = new Reseolio({ storage: url, workerConcurrency });
  await reseolio.start();
  return { reseolio, sendEmail: reseolio.durable(JOB_NAME, sendNothing) };
}

/** What the durable function of the workload runs. */
export async function sendNothing(_to: string, _mail: Mail): Promise<void> {}
