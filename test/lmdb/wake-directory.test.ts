import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WakeDirectory } from '../../src/backends/lmdb/wake-directory.ts';
import { temporaryDirectory } from '../processes/lmdb-directory.ts';

function openWake(directory: string, onWake: () => void = () => {}): WakeDirectory {
  const wake = new WakeDirectory(directory, onWake);
  onTestFinished(() => wake.close());
  return wake;
}

describe('the wake directory', () => {
  it('wakes the others and not the one that notifies', async () => {
    const directory = temporaryDirectory();
    const woken: string[] = [];
    const first = openWake(directory, () => woken.push('first'));
    openWake(directory, () => woken.push('second'));
    await vi.waitUntil(() => first.hasPeers);
    woken.length = 0;
    first.notify();
    await vi.waitUntil(() => woken.includes('second'));
    expect(woken).not.toContain('first');
  });

  it('knows when it is alone again', async () => {
    const directory = temporaryDirectory();
    const first = openWake(directory);
    const second = openWake(directory);
    await vi.waitUntil(() => first.hasPeers);
    second.close();
    await vi.waitUntil(() => !first.hasPeers);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  it('removes the file of a process that died', () => {
    const directory = temporaryDirectory();
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const wake = openWake(directory);
    const [own = ''] = readdirSync(directory);
    const namespace = own.split('-')[0];
    writeFileSync(join(directory, `${namespace}-${dead}-0000`), '');
    expect(openWake(directory).hasPeers).toBe(true);
    expect(readdirSync(directory).filter((name) => name.endsWith('-0000'))).toEqual([]);
    expect(wake.hasPeers).toBe(false);
  });

  it('goes by the age of a file where process ids mean something else', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, `1-${process.pid}-fresh`), '');
    writeFileSync(join(directory, `1-${process.pid}-stale`), '');
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(join(directory, `1-${process.pid}-stale`), longAgo, longAgo);
    expect(openWake(directory).hasPeers).toBe(true);
    const names = readdirSync(directory);
    expect(names).toContain(`1-${process.pid}-fresh`);
    expect(names).not.toContain(`1-${process.pid}-stale`);
  });

  it('makes its file again when another took it for dead', async () => {
    const directory = temporaryDirectory();
    openWake(directory);
    const [own = ''] = readdirSync(directory);
    rmSync(join(directory, own));
    await vi.waitUntil(() => readdirSync(directory).includes(own));
    utimesSync(join(directory, own), new Date(), new Date());
  });

  it('leaves nothing behind when it is closed', () => {
    const directory = temporaryDirectory();
    const wake = openWake(directory);
    wake.close();
    wake.close();
    wake.notify();
    expect(readdirSync(directory)).toEqual([]);
  });
});
