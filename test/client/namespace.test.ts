import { expect, test } from 'vitest';
import { Reseolio } from '../../src/index.ts';
import { withCode } from './client-fixture.ts';

const reseolio = new Reseolio();

test('parts are joined with colons', () => {
  expect(reseolio.namespace('notifications', 'email', 'send')).toBe('notifications:email:send');
  expect(reseolio.namespace('send')).toBe('send');
});

test.each([[['']], [['a', '']], [['a:b']], [['a/b', 'c']], [[]], [['a', 'b c']], [['_a']], [['a'.repeat(129)]]])(
  'the parts %j are refused',
  (parts) => {
    expect(() => reseolio.namespace(...parts)).toThrow(expect.objectContaining(withCode('invalid_name')));
  },
);

test('a part that is no text is refused', () => {
  expect(() => reseolio.namespace(5 as unknown as string)).toThrow(expect.objectContaining(withCode('invalid_name')));
});
