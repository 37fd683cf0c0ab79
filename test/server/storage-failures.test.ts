import { expect, it } from 'vitest';
import { MemoryStorage } from '../../src/backends/memory/memory-storage.ts';
import { ReseolioError } from '../../src/core/errors.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import { createGate } from '../client/client-fixture.ts';
import { FaultyStorage } from '../client/faulty-storage.ts';
import { connect, serve } from './server-fixture.ts';
import { JOB, withStatus } from './wire-status.ts';

const FULL = new ReseolioError('storage_full', 'no room');

/** A worker with a job of `f` in hand, of a server whose storage can be made to fail. */
async function take(leaseMs = 15_000) {
  const storage = new FaultyStorage(new MemoryStorage({ runtime: createSystemRuntime() }));
  const server = await serve({ storage, leaseMs });
  const client = connect(server);
  const worker = client.work('w', ['f'], 1);
  const jobId = await client.enqueue('f');
  await worker.jobs.next();
  return { storage, server, client, worker, jobId };
}

it('an enqueue is answered when the job is stored, and not before', async () => {
  const { storage, client } = await take();
  const gate = createGate();
  storage.hold('enqueue', gate.opened);
  const answers: string[] = [];
  const enqueued = client.enqueue('f').then((jobId) => answers.push(jobId));
  await expect.poll(() => storage.count('enqueue')).toBe(2);
  await client.call('ListJobs', {});
  expect(answers).toEqual([]);
  gate.open();
  await enqueued;
  expect(answers).toHaveLength(1);
});

it('an ack is answered when the outcome is stored, and not before', async () => {
  const { storage, client, worker, jobId } = await take();
  const gate = createGate();
  storage.hold('settle', gate.opened);
  const answers: number[] = [];
  const acked = worker.succeed(jobId).then(({ newStatus }) => answers.push(newStatus));
  await expect.poll(() => storage.count('settle')).toBe(1);
  expect(await client.statusOf(jobId)).toBe(JOB.running);
  expect(answers).toEqual([]);
  gate.open();
  await acked;
  expect(answers).toEqual([JOB.success]);
});

it('an ack that cannot be stored for a while is stored and answered later', async () => {
  const { storage, client, worker, jobId } = await take();
  storage.fail('settle', FULL);
  const acked = worker.succeed(jobId, 1);
  await expect.poll(() => storage.count('settle'), { timeout: 5000 }).toBeGreaterThan(1);
  storage.heal('settle');
  expect(await acked).toMatchObject({ newStatus: JOB.success });
  expect(await client.statusOf(jobId)).toBe(JOB.success);
});

it('a job that cannot be stored is refused with a status that says why', async () => {
  const { storage, client } = await take();
  storage.fail('enqueue', FULL);
  await expect(client.enqueue('f')).rejects.toMatchObject(withStatus('RESOURCE_EXHAUSTED'));
  storage.fail('enqueue', new Error('a secret of the inside'));
  const warned = new Promise((resolve) => process.once('warning', resolve));
  const failure = client.enqueue('f');
  await expect(failure).rejects.toMatchObject(withStatus('INTERNAL'));
  await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('secret') });
  expect(await warned).toMatchObject({ message: 'a secret of the inside' });
  storage.heal('enqueue');
  await client.enqueue('f');
});

it('an ack whose lease is lost while it cannot be stored is answered with that', async () => {
  const { storage, worker, jobId } = await take(300);
  storage.fail('settle', FULL);
  storage.fail('extendLeases', FULL);
  const acked = worker.succeed(jobId);
  await expect(acked).rejects.toMatchObject(withStatus('UNAVAILABLE'));
  storage.heal('settle');
  storage.heal('extendLeases');
  expect(await worker.jobs.next()).toMatchObject({ id: jobId });
});

it('nobody waits for ever when the storage fails for good', async () => {
  const { storage, server, client, worker, jobId } = await take();
  storage.fail('settle', FULL);
  const acked = worker.succeed(jobId);
  const subscription = client.subscribe(jobId);
  await expect.poll(() => storage.count('settle')).toBeGreaterThan(0);
  const gone = new ReseolioError('storage_failed', 'the disk is gone');
  for (const method of ['settle', 'claim', 'getJobs', 'enqueue'] as const) storage.fail(method, gone);
  expect(await server.failed).toBe(gone);
  await expect(acked).rejects.toMatchObject(withStatus('UNAVAILABLE'));
  expect(await subscription.completions.ended).toMatchObject(withStatus('UNAVAILABLE'));
  expect(await worker.jobs.ended).toMatchObject(withStatus('UNAVAILABLE'));
  await expect(client.enqueue('f')).rejects.toMatchObject(withStatus('UNAVAILABLE'));
  const late = client.work('v', ['f'], 1);
  expect(await late.jobs.ended).toMatchObject(withStatus('UNAVAILABLE'));
});
