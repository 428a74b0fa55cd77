import { describe, expect, it } from 'vitest';
import { isFinal, sqlStateOf } from './connection.ts';

const answered = (code: string): Error => Object.assign(new Error('said the server'), { severity: 'ERROR', code });

describe('an error of PostgreSQL', () => {
  it('is final when it speaks of what was asked', () => {
    for (const code of ['22003', '23505', '42P01', '28P01', '3D000']) expect(isFinal(answered(code))).toBe(true);
  });

  it('passes when it speaks of connections, rivals, resources, an operator, or of a copy that takes no writes', () => {
    for (const code of ['08006', '40001', '40P01', '53100', '53300', '55P03', '57P01', '57P03', '58030', '25006'])
      expect(isFinal(answered(code))).toBe(false);
  });

  it('is not told from the system’s own codes by their length', () => {
    const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    expect(sqlStateOf(broken)).toBeUndefined();
    expect(isFinal(broken)).toBe(false);
    expect(isFinal(undefined)).toBe(false);
  });
});
