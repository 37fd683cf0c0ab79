import { onTestFinished } from 'vitest';
import { TestProcess } from '../../processes/child-process.ts';

export interface ParentsNodeParams {
  /** Of the storage. */
  readonly url: string;
  readonly workerConcurrency: number;
  readonly suspendAfterMs: number;
}

/** A process of `parents-child.ts`; `onRun` is told which child it runs. Killed when the test ends. Resolves when it is ready. */
export async function startParentsNode(
  params: ParentsNodeParams,
  onRun: (child: string) => void,
): Promise<TestProcess> {
  const node = new TestProcess({
    script: 'test/long/workflow/parents-child.js',
    args: [JSON.stringify(params)],
    onLine: (line) => {
      const [verb, child = ''] = line.split(' ');
      if (verb === 'ran') onRun(child);
    },
  });
  onTestFinished(() => node.kill());
  await node.line('ready');
  return node;
}
