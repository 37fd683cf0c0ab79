import { PostgresServer } from '../../postgres-server/postgres-server.ts';
import { report } from './report.ts';

/**
 * Starts a server of the programs in `binaries` and says where it is, then stays. Root may become the user `uid` first:
 * only after it has loaded everything, as the checkout may be closed to others.
 */
const [, , binaries, uid] = process.argv as string[];

if (uid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(Number(uid));
  process.setuid?.(Number(uid));
}
const server = await PostgresServer.start({ binaries: binaries as string });
report(`started ${JSON.stringify({ port: server.port, directory: server.directory, pid: server.pid })}`);
process.stdin.once('data', () => void server.stop().then(() => process.exit()));
