import { expect, it } from 'vitest';
import { patched } from './patch.ts';

it('absent, null and a value are three things in a patch', () => {
  const former = { name: 'a', topic: 'b', bits: 1 };
  const empty = { name: '', topic: '', bits: 0 };
  expect(patched(former, {}, empty)).toEqual(former);
  expect(patched(former, { name: undefined, topic: null }, empty)).toEqual({ name: 'a', topic: '', bits: 1 });
  expect(patched(former, { name: '', bits: 2 }, empty)).toEqual({ name: '', topic: 'b', bits: 2 });
  // Fields that nobody may change are not taken over.
  expect(patched(former, { id: '7' } as object, empty)).toEqual(former);
});
