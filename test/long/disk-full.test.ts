import { spawnSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestProcess } from '../processes/child-process.ts';
import { openLmdb, temporaryDirectory } from '../processes/lmdb-directory.ts';

/** A file system of 4 MiB. Mounting one takes root; without, this platform cannot run these tests. */
function mountSmallDisk(): string | null {
  const directory = temporaryDirectory();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory]);
  if (mounted.status !== 0) return null;
  onTestFinished(() => {
    spawnSync('umount', ['-l', directory]);
  });
  return directory;
}

describe.each(['thread', 'inline'])('a full disk (commits: %s)', (commitMode) => {
  it('refuses with storage_full, keeps what was acknowledged, and goes on when there is room', async (context) => {
    const disk = mountSmallDisk();
    if (disk === null) return context.skip('mounting a small disk takes root');
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(1_500_000));
    const directory = join(disk, 'storage');
    const acked: string[] = [];
    const filler = new TestProcess({
      script: 'test/processes/lmdb-filler.js',
      args: [directory, commitMode],
      onLine: (line) => {
        const id = /acked (\S+)/.exec(line)?.[1];
        if (id !== undefined) acked.push(id);
      },
    });
    onTestFinished(() => filler.kill());
    expect(await filler.line('refused')).toBe('refused storage_full');
    await filler.line('full');
    expect(statfsSync(disk).bavail * statfsSync(disk).bsize).toBeLessThan(1_048_576);
    rmSync(ballast);
    filler.say('again');
    expect(await filler.line('again')).toMatch(/^again acked/);
    filler.process.stdin?.end();
    await filler.line('closed');

    const storage = await openLmdb(directory);
    expect(acked.length).toBeGreaterThan(10);
    expect(await storage.getJobs({ jobIds: acked })).not.toContain(null);
    expect(await storage.counts()).toMatchObject([{ pending: acked.length }]);
    await storage.close();
  });
});
