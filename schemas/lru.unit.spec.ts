import { describe, expect, it } from 'vitest';
import { lru } from './lru.ts';

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

it('a cache of a million entries takes memory as they come', () => {
  const began = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  const cache = lru<string, number>(1_000_000);
  cache.set('only', 1);
  expect(process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - began).toBeLessThan(4_000_000);
});
