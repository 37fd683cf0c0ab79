import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EventHub } from '../../src/worker/event-hub.ts';

interface Events {
  readonly tick: number;
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function errorWithGetter(key: 'name' | 'message' | 'stack'): Error {
  return Object.defineProperty(new Error('odd'), key, {
    get: () => {
      throw new Error(`${key} cannot be read`);
    },
  });
}

const ODD: [string, () => unknown][] = [
  ['an object without a prototype', () => Object.create(null)],
  ['an error whose name throws', () => errorWithGetter('name')],
  ['an error whose message throws', () => errorWithGetter('message')],
  ['an error whose stack throws', () => errorWithGetter('stack')],
  ['a revoked Proxy', revokedProxy],
  ['a symbol', () => Symbol('odd')],
  ['nothing', () => undefined],
];

/** The warnings and unhandled rejections of the process, until the test ends. */
function recordProcess() {
  const warnings: string[] = [];
  const rejections: unknown[] = [];
  const onWarning = ({ name, message }: Error): void => {
    if (name === 'ReseolioWarning') warnings.push(message);
  };
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on('warning', onWarning).on('unhandledRejection', onRejection);
  onTestFinished(() => {
    process.off('warning', onWarning).off('unhandledRejection', onRejection);
  });
  return { warnings, rejections };
}

describe('a listener that fails with something odd disturbs no one and becomes a warning', () => {
  test.each(ODD)('%s, thrown', async (_title, create) => {
    const { warnings } = recordProcess();
    const hub = new EventHub<Events>();
    const heard: number[] = [];
    hub.on('tick', () => {
      throw create();
    });
    hub.on('tick', (tick) => heard.push(tick));
    expect(() => hub.emit('tick', 1)).not.toThrow();
    expect(heard).toEqual([1]);
    await setImmediate();
    expect(warnings).toEqual([expect.stringContaining("a listener of 'tick' failed: ")]);
  });

  test.each(ODD)('%s, from an async listener', async (_title, create) => {
    const { warnings, rejections } = recordProcess();
    const hub = new EventHub<Events>();
    hub.on('tick', (() => Promise.reject(create())) as () => void);
    hub.emit('tick', 1);
    await setImmediate();
    await setImmediate();
    expect(rejections).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining("a listener of 'tick' failed: ")]);
  });
});
