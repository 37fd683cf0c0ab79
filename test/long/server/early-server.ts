import { openStorage } from '../../../src/backends/open-storage.ts';
import { createSystemRuntime } from '../../../src/core/runtime.ts';
import type { Settlement, SettleResult, Storage } from '../../../src/core/storage.ts';
import { startServer } from '../../../src/server/reseolio-server.ts';
import { report } from '../../processes/report.ts';

/** A planted bug: a server that answers acks before they are stored: `node early-server.js <storage URL> <lease ms>`. */
const [url, lease] = process.argv.slice(2) as [string, string];
const LATE_MS = 5;

function settleLate(storage: Storage, settlements: readonly Settlement[]): SettleResult[] {
  setTimeout(() => void storage.settle({ settlements }), LATE_MS);
  return settlements.map(({ outcome }) => ({
    status: 'settled',
    state: outcome.kind === 'success' || outcome.kind === 'dead' ? outcome.kind : 'pending',
    runAt: 0,
  }));
}

const opened = await openStorage(url, { runtime: createSystemRuntime(), durability: 'strict', migrate: 'auto' });
const storage = new Proxy(opened, {
  get(target, key) {
    if (key === 'settle') {
      return async ({ settlements }: { settlements: readonly Settlement[] }) => settleLate(target, settlements);
    }
    const value: unknown = Reflect.get(target, key);
    return typeof value === 'function' ? value.bind(target) : value;
  },
});
const server = await startServer({
  storage,
  address: '127.0.0.1:0',
  tokens: null,
  tls: null,
  isInsecure: false,
  durability: 'strict',
  shutdownGraceMs: 0,
  leaseMs: Number(lease),
});
report(`listening on ${server.address}, early`);
