import { expect, it } from 'vitest';
import { isPatched, patched } from './patch.ts';

it('absent, null and a value are three things in a patch', () => {
  const former = { name: 'a', topic: 'b', bits: 1 };
  const empty = { name: '', topic: '', bits: 0 };
  expect(patched(former, {}, empty)).toEqual(former);
  expect(patched(former, { name: undefined, topic: null }, empty)).toEqual({ name: 'a', topic: '', bits: 1 });
  expect(patched(former, { name: '', bits: 2 }, empty)).toEqual({ name: '', topic: 'b', bits: 2 });
  // Fields that nobody may change are not taken over.
  expect(patched(former, { id: '7' } as object, empty)).toEqual(former);
});

it('values are what a patch asks for when it would not change them, also where it empties a field', () => {
  const empty = { name: '', topic: null as string | null, list: [] as number[] };
  const values = { name: 'a', topic: 'b', list: [1] };
  for (const patch of [{}, { name: 'a' }, { topic: 'b', list: [1] }, { topic: undefined }])
    expect(isPatched(values, patch, empty)).toBe(true);
  for (const patch of [{ name: 'b' }, { topic: null }, { list: null }, { name: 'a', topic: null }])
    expect(isPatched(values, patch, empty)).toBe(false);
  expect(isPatched({ ...values, topic: null }, { topic: null }, empty)).toBe(true);
});
