import { describe, expect, it } from 'vitest';
import { CommitModeChooser } from '../../src/backends/lmdb/commit-mode.ts';

function observe(chooser: CommitModeChooser, times: number, durationMs: number, writes = 8): void {
  for (let i = 0; i < times; i++) chooser.observe(durationMs, writes);
}

describe('the choice between inline commits and a thread', () => {
  it('begins on the thread and goes inline when commits are fast', () => {
    const chooser = new CommitModeChooser('auto', () => true);
    expect(chooser.isInline).toBe(false);
    observe(chooser, 3, 0.3);
    expect(chooser.isInline).toBe(false);
    observe(chooser, 12, 0.3);
    expect(chooser.isInline).toBe(true);
  });

  it('stays on the thread on a slow disk', () => {
    const chooser = new CommitModeChooser('auto', () => true);
    observe(chooser, 1000, 20);
    expect(chooser.isInline).toBe(false);
  });

  it('goes back to the thread at the first stall, for a dozen commits', () => {
    const chooser = new CommitModeChooser('auto', () => true);
    observe(chooser, 100, 0.3);
    observe(chooser, 1, 30_000);
    expect(chooser.isInline).toBe(false);
    observe(chooser, 10, 0.3);
    expect(chooser.isInline).toBe(false);
    observe(chooser, 10, 0.3);
    expect(chooser.isInline).toBe(true);
  });

  it('stays on the thread where one sync in ten is slow', () => {
    const chooser = new CommitModeChooser('auto', () => true);
    for (let i = 0; i < 20; i++) {
      observe(chooser, 9, 0.3);
      observe(chooser, 1, 40);
      expect(chooser.isInline).toBe(false);
    }
  });

  it('does not blame the disk for a large batch', () => {
    const chooser = new CommitModeChooser('auto', () => true);
    observe(chooser, 20, 0.3);
    observe(chooser, 1, 15, 1000);
    expect(chooser.isInline).toBe(true);
    observe(chooser, 1, 10_000, 1000);
    expect(chooser.isInline).toBe(false);
  });

  it('learns nothing from a commit that wrote nothing', () => {
    const chooser = new CommitModeChooser('auto', () => true);
    observe(chooser, 10, 0.01, 0);
    expect(chooser.isInline).toBe(false);
  });

  it('stays on the thread while another process has the storage open', () => {
    let isAlone = false;
    const chooser = new CommitModeChooser('auto', () => isAlone);
    observe(chooser, 100, 0.3);
    expect(chooser.isInline).toBe(false);
    isAlone = true;
    expect(chooser.isInline).toBe(true);
  });

  it('does as it is told', () => {
    const inline = new CommitModeChooser('inline', () => false);
    const thread = new CommitModeChooser('thread', () => true);
    observe(inline, 10, 100);
    observe(thread, 10, 0.1);
    expect([inline.isInline, thread.isInline]).toEqual([true, false]);
  });
});
