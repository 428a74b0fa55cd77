import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { classify, isFull, isInDoubt, sqlStateOf } from './failures.ts';

const answered = (code: string): Error => Object.assign(new Error('said the server'), { severity: 'ERROR', code });
const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });

describe('a failure of PostgreSQL', () => {
  it.each([
    ['08006', 'connection failure'],
    ['40001', 'serialization failure'],
    ['40P01', 'deadlock'],
    ['53100', 'disk full'],
    ['53300', 'too many connections'],
    ['55P03', 'lock not available'],
    ['57014', 'query cancelled'],
    ['57P01', 'shut down by an operator'],
    ['57P03', 'still starting'],
    ['58030', 'input or output of the system'],
    ['25006', 'a copy that takes no writes'],
  ])('%s is transient: %s', (code) => expect(classify(answered(code))).toBe('transient'));

  it.each([
    ['22003', 'number out of range'],
    ['22P02', 'text that is no number'],
    ['22021', 'bytes that are no text'],
    ['23505', 'a duplicate'],
    ['54000', 'too large for an index'],
  ])('%s is permanent, since it speaks of the values: %s', (code) =>
    expect(classify(answered(code))).toBe('permanent'),
  );

  it.each([
    ['42P01', 'no such table'],
    ['42703', 'no such column'],
    ['3F000', 'no such schema'],
    ['3D000', 'no such database'],
    ['28P01', 'wrong password'],
    ['42501', 'no right to it'],
    ['42601', 'syntax'],
    ['XX001', 'a damaged page'],
    ['ZZ999', 'a code that nobody knows'],
  ])('%s is damage, which waiting does not mend: %s', (code) => expect(classify(answered(code))).toBe('damaged'));

  it('that the server did not report is transient', () => {
    for (const failure of [
      broken,
      new Error('Connection terminated'),
      new StoreUnavailable('vault', 2),
      undefined,
      'x',
    ])
      expect(classify(failure)).toBe('transient');
  });

  it('before anything was sent is a bug, or permanent if a value is no number', () => {
    for (const failure of [new TypeError('no'), new RangeError('no')]) expect(classify(failure)).toBe('bug');
    expect(classify(new SyntaxError('Cannot convert x to a BigInt'))).toBe('permanent');
  });

  it('leaves in doubt what was sent, unless the server says that it undid the statement', () => {
    for (const code of ['08006', '40003', '57P01', '57P02', '58030', 'XX000'])
      expect(isInDoubt(answered(code))).toBe(true);
    for (const failure of [broken, new Error('Query read timeout'), undefined]) expect(isInDoubt(failure)).toBe(true);
    for (const code of ['40001', '53100', '57014', '22003', '42501']) expect(isInDoubt(answered(code))).toBe(false);
  });

  it('has a state only if the server gave one, whatever the length of a system error code', () => {
    expect(sqlStateOf(broken)).toBeUndefined();
    expect(sqlStateOf(answered('42P01'))).toBe('42P01');
    expect(isFull(answered('53100'))).toBe(true);
    expect(isFull(broken)).toBe(false);
  });
});
