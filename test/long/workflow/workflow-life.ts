import { openStorage } from '../../../src/backends/open-storage.ts';
import { createSystemRuntime } from '../../../src/core/runtime.ts';
import { Reseolio } from '../../../src/index.ts';
import { SUSPEND_AFTER_MS } from './order-plan.ts';
import { OrderWorkflow } from './order-workflow.ts';
import { plantWorkflowBug, type WorkflowBug } from './planted-workflow-bugs.ts';
import { markCalls, withMethods } from './storage-points.ts';
import { Trail, type TrailParams } from './trail.ts';

export interface LifeParams {
  /** Of the storage. */
  readonly url: string;
  readonly trail: TrailParams;
  readonly bug: WorkflowBug | null;
}

/** A life that was ended is followed by one that waits for its leases. */
const LEASE_MS = 800;

/**
 * One life of what runs the workflow: calls it, or finds the call of an earlier life, and resolves with its end, unless the
 * process is killed before. All there is to know is in the trail.
 */
export async function live({ url, trail: params, bug }: LifeParams): Promise<void> {
  const runtime = createSystemRuntime();
  const stored = await openStorage(url, { runtime, durability: 'strict', migrate: 'auto' });
  const trail = new Trail(params);
  const planted = bug === null ? stored : withMethods(stored, plantWorkflowBug(stored, bug));
  const storage = markCalls(planted, trail);
  const reseolio = new Reseolio({ storage, runtime, leaseMs: LEASE_MS, suspendAfterMs: SUSPEND_AFTER_MS });
  const order = new OrderWorkflow(reseolio, trail);
  await reseolio.start();
  const handle = await order.process({ idempotencyKey: 'the order' });
  const result = await handle.result().catch((error: unknown) => String(error));
  const { jobs } = await reseolio.listJobs({ parentId: handle.jobId, limit: 1000 });
  trail.noteEnding({ result, children: jobs.map(({ name }) => name), points: trail.points });
  await reseolio.stop();
  await stored.close();
}
