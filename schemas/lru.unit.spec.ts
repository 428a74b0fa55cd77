import { describe, expect, it } from 'vitest';
import { lru, sizedLru } from './lru.ts';

describe('a cache of two entries', () => {
  it('drops the one used least recently, and says so', () => {
    const dropped: string[] = [];
    const cache = lru<string, number>(2, { dispose: (_, key, reason) => void dropped.push(`${key} ${reason}`) });
    cache.set('first', 1).set('second', 2);
    expect(cache.get('first')).toBe(1);
    cache.set('third', 3);
    expect([...cache.keys()].sort()).toEqual(['first', 'third']);
    expect(dropped).toEqual(['second evict']);
  });

  it('counts an entry once, however often it is set', () => {
    const cache = lru<string, number>(2);
    for (let n = 0; n < 5; n += 1) cache.set('first', n).set('second', n);
    expect([cache.get('first'), cache.get('second'), cache.size]).toEqual([4, 4, 2]);
  });

  it('has room again for what was deleted', () => {
    const cache = lru<string, number>(2);
    cache.set('first', 1).set('second', 2);
    cache.delete('first');
    cache.set('third', 3);
    expect([...cache.keys()].sort()).toEqual(['second', 'third']);
  });
});

describe('a cache of three entries, and of sizes that make nine together', () => {
  const cache = () => sizedLru<string, string>(3, 9, (value) => value.length);

  it('holds three small ones', () => {
    const small = cache();
    for (const key of ['first', 'second', 'third', 'fourth']) small.set(key, '');
    expect([...small.keys()].sort()).toEqual(['fourth', 'second', 'third']);
  });

  it('holds fewer large ones, and none that is larger than all of it', () => {
    const large = cache();
    large.set('first', 'four').set('second', 'five.').set('third', 'six...');
    expect([...large.keys()]).toEqual(['third']);
    large.set('fourth', 'more than nine');
    expect(large.has('fourth')).toBe(false);
  });
});

it.each([
  ['of', lru<string, number>],
  ['of sizes of', (most: number) => sizedLru<string, number>(most, 1e9, () => 1)],
] as const)('a cache %s a million entries takes memory as they come', (_, make) => {
  const began = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  const cache = make(1_000_000);
  cache.set('only', 1);
  expect(process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - began).toBeLessThan(4_000_000);
});
