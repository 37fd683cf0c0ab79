import { describe, expect, it, onTestFinished } from 'vitest';
import { TestProcess } from '../processes/child-process.ts';
import { openLmdb, temporaryDirectory } from '../processes/lmdb-directory.ts';

describe.each(['thread', 'inline'])('a write that the system refuses (commits: %s)', (commitMode) => {
  it('fails the storage: nothing more is acknowledged, what was acknowledged is there for the next process', async () => {
    const directory = temporaryDirectory();
    const acked: string[] = [];
    const filler = new TestProcess({
      wrapper: ['bash', '-c', 'ulimit -f 2000; exec "$0" "$@"'],
      script: 'test/processes/lmdb-filler.js',
      args: [directory, commitMode],
      onLine: (line) => {
        if (line.startsWith('acked')) acked.push(line.slice('acked '.length));
      },
    });
    onTestFinished(() => filler.kill());
    expect(await filler.line('refused')).toBe('refused storage_failed');
    await filler.line('hint failed');
    await filler.line('full');
    filler.say('again');
    expect(await filler.line('again')).toBe('again refused storage_failed');
    filler.process.stdin?.end();
    await filler.line('closed');
    expect(await filler.exited()).toBe(0);

    const storage = await openLmdb(directory);
    onTestFinished(() => storage.close());
    expect(acked.length).toBeGreaterThan(10);
    expect(await storage.getJobs({ jobIds: acked })).not.toContain(null);
    expect(await storage.counts()).toMatchObject([{ pending: acked.length }]);
  });
});

describe('a process that was stopped for longer than a commit may take', () => {
  it('goes on: the commit had returned, only nobody could look', async () => {
    const writer = new TestProcess({
      script: 'test/processes/lmdb-writer.js',
      args: [temporaryDirectory(), 'thread&commitTimeoutMs=200', '1000'],
    });
    onTestFinished(() => writer.kill());
    await writer.line('RESOLVED settle');
    for (let i = 0; i < 3; i++) {
      // How long the other process stands still; nothing of this one waits for it.
      writer.signal('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 400));
      writer.signal('SIGCONT');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await writer.exited(), writer.stderr).toBe(0);
  });
});
