import { describe, expect, it, onTestFinished } from 'vitest';
import { TcpProxy } from '../../../postgres-server/tcp-proxy.ts';
import { temporaryDirectory } from '../../processes/lmdb-directory.ts';
import { GrpcClient, type PollConnection, parse } from '../../server/grpc-client.ts';
import { JOB } from '../../server/wire-status.ts';
import { startServe, startWorker } from './server-process.ts';

const LEASE_MS = 15_000;
/** What a machine that is busy adds. */
const SLACK_MS = 3000;

async function startTarget() {
  const { address } = await startServe(`lmdb://${temporaryDirectory()}`, '--lease', String(LEASE_MS));
  return { address, client: connect(address) };
}

function connect(address: string): GrpcClient {
  const client = new GrpcClient({ address });
  onTestFinished(() => client.close());
  return client;
}

/** Another worker is sent the job before the lease would be over, and ends it. The attempt that was lost counts. */
async function expectToRunElsewhere(other: PollConnection, jobId: string): Promise<void> {
  const lostAt = performance.now();
  expect(await other.jobs.next()).toMatchObject({ id: jobId, attempt: 2 });
  expect(performance.now() - lostAt).toBeLessThan(LEASE_MS + SLACK_MS);
  expect(await other.succeed(jobId, 'elsewhere')).toMatchObject({ newStatus: JOB.success });
}

async function expectResult(client: GrpcClient, jobId: string): Promise<void> {
  const { status, result } = await client.call('GetJob', { jobId });
  expect([status, parse(result)]).toEqual([JOB.success, 'elsewhere']);
}

describe('the jobs of a worker that is gone without a goodbye', () => {
  it('run elsewhere within a lease when it is stopped, and what it says when it goes on is refused', async () => {
    const { address, client } = await startTarget();
    const worker = await startWorker(address, 'stopped', 50);
    const jobId = await client.enqueue('f');
    await worker.line(`took ${jobId} 1`);
    worker.signal('SIGSTOP');
    await expectToRunElsewhere(client.work('other', ['f'], 1), jobId);
    worker.signal('SIGCONT');
    await worker.line(`refused ${jobId} 1`);
    await expectResult(client, jobId);
  });

  it('run elsewhere within a lease when it is stopped, and then killed', async () => {
    const { address, client } = await startTarget();
    const worker = await startWorker(address, 'stopped', 50);
    const jobId = await client.enqueue('f');
    await worker.line(`took ${jobId} 1`);
    worker.signal('SIGSTOP');
    const elsewhere = expectToRunElsewhere(client.work('other', ['f'], 1), jobId);
    await worker.kill();
    await elsewhere;
    await expectResult(client, jobId);
  });

  it('run elsewhere within a lease when the network drops all packets, and a stale ack takes no effect', async () => {
    const { address, client } = await startTarget();
    await using proxy = await TcpProxy.start({ targetPort: Number(address.split(':')[1]) });
    const worker = connect(`127.0.0.1:${proxy.port}`).work('cut-off', ['f'], 1);
    const jobId = await client.enqueue('f');
    await worker.jobs.next();
    proxy.stall();
    const stale = worker.succeed(jobId, 'stale').then(
      () => 'taken',
      () => 'refused',
    );
    await expectToRunElsewhere(client.work('other', ['f'], 1), jobId);
    proxy.resume();
    expect(await stale).toBe('refused');
    await expectResult(client, jobId);
  });
});
