import { createInterface } from 'node:readline';
import { open } from 'lmdb';
import { LmdbStorage } from '../../src/backends/lmdb/lmdb-storage.ts';
import { parseLmdbUrl } from '../../src/backends/lmdb/lmdb-url.ts';
import { createSystemRuntime } from '../../src/core/runtime.ts';
import { ids, newJob } from './new-job.ts';
import { report } from './report.ts';

/** A second process on a storage, which does what it is told: `node lmdb-peer.js <directory>`. */
const directory = process.argv[2] as string;
const runtime = createSystemRuntime();
const storage = await LmdbStorage.open({ ...parseLmdbUrl(`lmdb://${directory}`), durability: 'strict', runtime });

storage.watch((hint) => report(`hint ${JSON.stringify(hint)}`));

const commands: Record<string, (argument: string) => Promise<void>> = {
  async enqueue(name) {
    const [result] = await storage.enqueue({ jobs: [newJob({ name })] });
    report(`enqueued ${result?.jobId}`);
  },
  async run(name) {
    const leaseToken = ids.next();
    const { jobs } = await storage.claim({ workerId: 'peer', leaseToken, names: [name], limit: 1, leaseMs: 60_000 });
    const settlements = jobs.map(({ id, attempt }) => ({
      lease: { jobId: id, attempt, token: leaseToken },
      outcome: { kind: 'success', result: null } as const,
    }));
    await storage.settle({ settlements });
    report(`ran ${jobs.map(({ id }) => id)}`);
  },
  async signal(jobId) {
    await storage.signal({ signals: [{ id: ids.next(), jobId, name: 'told', payload: null }] });
  },
  /** Claims all there is of a name, a few at a time, and says what it got. */
  async race(name) {
    const claimed: string[] = [];
    for (;;) {
      const params = { workerId: 'peer', leaseToken: ids.next(), names: [name], limit: 3, leaseMs: 60_000 };
      const { jobs } = await storage.claim(params);
      if (jobs.length === 0) break;
      claimed.push(...jobs.map(({ id, attempt }) => `${id}/${attempt}`));
    }
    report(`claimed ${claimed.join(' ')}`);
  },
  /** Enqueues jobs with the keys 0 to 99, each in a call of its own, and says for which it made the job. */
  async keys(name) {
    const won: number[] = [];
    for (let key = 0; key < 100; key++) {
      const [result] = await storage.enqueue({ jobs: [newJob({ name, idempotencyKey: String(key) })] });
      if (result?.deduplicated === false) won.push(key);
    }
    report(`won ${won.join(' ')}`);
  },
  /** Takes back whatever expires, as every started client does. */
  async reclaim() {
    setInterval(() => void storage.reclaimExpired({ limit: 1000 }), 20);
    report('reclaiming');
  },
  /** Stops the whole process while it holds LMDB's write lock. */
  async hang() {
    const database = open({ path: directory, noSubdir: false, encoding: 'binary', keyEncoding: 'binary' });
    database.transactionSync(() => {
      report('hanging');
      process.kill(process.pid, 'SIGSTOP');
    });
  },
  async close() {
    await storage.close();
    process.exit(0);
  },
};

report('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [command = '', argument = ''] = line.split(' ');
  await commands[command]?.(argument);
}
