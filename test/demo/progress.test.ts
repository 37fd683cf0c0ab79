import { describe, expect, test } from 'vitest';
import { Progress } from '../../demo/progress.ts';

function record(isTerminal: boolean) {
  const writes: string[] = [];
  return { writes, progress: new Progress({ output: { write: (text) => writes.push(text) }, isTerminal }) };
}

describe('progress', () => {
  test('is a line at every tenth where there is no terminal', () => {
    const { writes, progress } = record(false);
    progress.start('working', 20);
    for (let count = 1; count <= 4; count++) progress.update(count);
    progress.print('a worker was killed');
    progress.end();
    expect(writes).toEqual(['working  10%  2 of 20\n', 'working  20%  4 of 20\n', 'a worker was killed\n']);
  });

  test('is one line that is drawn anew on a terminal', () => {
    const { writes, progress } = record(true);
    progress.start('working', 2);
    progress.update(1);
    progress.update(1);
    progress.print('a worker was killed');
    progress.end();
    const bar = `\r\u001b[Kworking ${'█'.repeat(15)}${'░'.repeat(15)}  50%`;
    expect(writes).toEqual([
      `\r\u001b[Kworking ${'░'.repeat(30)}   0%`,
      bar,
      '\r\u001b[K',
      'a worker was killed\n',
      bar,
      '\r\u001b[K',
    ]);
  });
});
