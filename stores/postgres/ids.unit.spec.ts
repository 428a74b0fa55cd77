import { describe, expect, it } from 'vitest';
import { boundOf, idKey, NOBODY } from './values.ts';

const LARGEST = '9223372036854775807';

describe('ids in PostgreSQL', () => {
  it('are kept if anyone can have been given them', () => {
    for (const id of ['0', '7', '100', LARGEST]) expect(idKey(id)).toBe(id);
  });

  it('match nobody with leading zeros, above the largest, or without digits', () => {
    for (const id of ['007', '00', '9223372036854775808', '99999999999999999999', '', '-5', 'x', '1e3'])
      expect(idKey(id)).toBe(NOBODY);
  });

  it('can bound a range even if they do not exist', () => {
    expect(boundOf('007')).toBe('7');
    expect(boundOf('000')).toBe('0');
    expect(boundOf('9223372036854775808')).toBe(LARGEST);
    expect(boundOf('00009223372036854775808')).toBe(LARGEST);
  });
});
