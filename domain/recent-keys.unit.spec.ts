import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contentOf,
  idempotencyKey,
  REMEMBERED_BYTES,
  REMEMBERED_COUNT,
  REMEMBERED_MS,
  RecentKeys,
  withContent,
  withoutContent,
} from './recent-keys.ts';
import { NOW } from './testing.ts';

const remembering = (times: readonly number[]) => {
  const keys = new RecentKeys();
  for (const [i, time] of times.entries()) keys.remember(`k${i}`, i + 1, time);
  return keys;
};

describe('recent keys', () => {
  it('remember the sequence of the event that carried each', () => {
    const keys = remembering([NOW, NOW]);
    expect(keys.sequenceOf('k1')).toBe(2);
    expect(keys.has('k2')).toBe(false);
    expect(keys.sequenceOf('k2')).toBeUndefined();
  });

  it('remember the first event of a command that made several, also across a fork and a stored state', () => {
    const first = new RecentKeys();
    first.remember('a', 1, NOW);
    first.remember('b', 2, NOW);
    const stored = RecentKeys.fromJson(JSON.parse(JSON.stringify(first.toJson())));
    for (const keys of [first, stored, new RecentKeys(first)]) {
      keys.remember('b', 3, NOW);
      expect(keys.sequenceOf('b')).toBe(2);
    }
    const fork = new RecentKeys(stored);
    for (const sequence of [4, 5]) fork.remember('c', sequence, NOW);
    const adopted = fork.adopted();
    adopted.remember('c', 6, NOW);
    expect(['a', 'b', 'c'].map((key) => adopted.sequenceOf(key))).toEqual([1, 2, 4]);
  });

  it('remember both keys of an event, and the first event of a command with both', () => {
    const first = new RecentKeys();
    first.remember('a', 1, NOW, 'second a');
    const stored = RecentKeys.fromJson(JSON.parse(JSON.stringify(first.toJson())));
    for (const keys of [first, stored, new RecentKeys(first)]) {
      keys.remember('a', 2, NOW);
      keys.remember('b', 3, NOW, 'b');
      expect(['a', 'second a', 'b'].map((key) => keys.sequenceOf(key))).toEqual([1, 1, 3]);
    }
    expect(first.toJson().rest).toEqual(['second a', 'a', 'b']);
  });

  it('are the same after a round trip through JSON when the last of them has come again', () => {
    const keys = new RecentKeys();
    for (const [n, key] of ['a:kind:1', 'a:kind:2', 'a:kind:1'].entries()) keys.remember(key, n + 1, 0);
    expect(RecentKeys.fromJson(JSON.parse(JSON.stringify(keys.toJson())))).toEqual(keys);
  });

  it('remember the last 1,000, however old', () => {
    const keys = remembering(Array.from({ length: 1500 }, (_, i) => NOW + i * REMEMBERED_MS));
    expect([keys.has('k499'), keys.has('k500')]).toEqual([false, true]);
  });

  it('remember ten minutes of event time, however many keys that is', () => {
    // Ten a second: 6,000 in ten minutes.
    const keys = remembering(Array.from({ length: 20_000 }, (_, i) => NOW + i * 100));
    expect(keys.has('k14000')).toBe(true);
    expect(keys.has('k13000')).toBe(false);
  });

  it('take a bounded number of bytes however fast they come and whatever they are written in', () => {
    for (const character of ['a', '中', '😀']) {
      const keys = new RecentKeys();
      const key = (i: number) => idempotencyKey('1', 'message', `${character.repeat(60)}${i}`);
      for (let i = 0; i < 120_000; i += 1) keys.remember(key(i), i + 1, NOW);
      expect(keys.bytes).toBeLessThanOrEqual(REMEMBERED_BYTES);
      expect(keys.has(key(0))).toBe(false);
      expect(keys.has(key(120_000 - 20_000))).toBe(true);
      expect(RecentKeys.fromJson(keys.toJson()).bytes).toBe(keys.bytes);
    }
  });

  it('outlive the import of years of history, and any jump of a clock', () => {
    const minute = 60_000;
    const later = (ms: number) => Array.from({ length: 2000 }, (_, i) => NOW + ms + i);
    const imported = Array.from({ length: 5000 }, (_, i) => Date.UTC(2004, 11, 25) + i * 24 * 60 * minute);
    for (const others of [imported, later(2 * minute), later(2 * 24 * 60 * minute), later(-2 * 24 * 60 * minute)])
      expect(remembering([NOW, ...others, NOW + minute]).has('k0')).toBe(true);
  });

  it('are remembered for ten minutes when the clocks of two nodes differ by half a minute', () => {
    const seconds = 500;
    const times = Array.from({ length: seconds * 4 }, (_, i) => NOW + i * 250 + (i % 2) * 30_000);
    expect(remembering(times).has('k0')).toBe(true);
  });

  it('remember at least what they promise, whatever the clocks do', () => {
    const times = fc.array(fc.integer({ min: 0, max: 4 * REMEMBERED_MS }), { minLength: 1000, maxLength: 1400 });
    fc.assert(
      fc.property(times, (offsets) => {
        const sorted = offsets.toSorted((a, b) => a - b).map((offset) => NOW + offset);
        const keys = remembering(sorted);
        const last = sorted.at(-1)!;
        for (const [i, time] of sorted.entries()) {
          const promised = last - time < REMEMBERED_MS || i >= sorted.length - REMEMBERED_COUNT;
          if (promised && !keys.has(`k${i}`)) throw new Error(`key ${i} of ${sorted.length} was forgotten`);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('are the same after a round trip through JSON, and forget alike afterwards', () => {
    const keys = remembering(Array.from({ length: 1200 }, (_, i) => NOW + i * 1000));
    const again = RecentKeys.fromJson(JSON.parse(JSON.stringify(keys.toJson())));
    for (const both of [keys, again]) both.remember('later', 2000, NOW + 10 * REMEMBERED_MS);
    expect(again.toJson()).toEqual(keys.toJson());
  });
});

describe('an idempotency key', () => {
  it('distinguishes authors, kinds of command and client ids', () => {
    const keys = [
      idempotencyKey('1', 'message.send', 'a'),
      idempotencyKey('2', 'message.send', 'a'),
      idempotencyKey('1', 'message.edit', 'a'),
      idempotencyKey('1', 'message.send', 'b'),
      idempotencyKey('1', 'message.send', 'edit:a'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('remembered by a fork is unknown to the original until the fork is adopted', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 1500 }), after: fc.nat(REMEMBERED_MS / 100) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3000 }), fc.array(step, { maxLength: 500 }), (former, later) => {
        const remember = (keys: RecentKeys, steps: typeof former, sequence: number, time: number) => {
          for (const { key, after } of steps) {
            sequence += 1;
            time += after;
            keys.remember(`k${key}`, sequence, time);
          }
          return [sequence, time] as const;
        };
        const [forked, direct] = [new RecentKeys(), new RecentKeys()];
        const end = remember(forked, former, 0, NOW);
        remember(direct, former, 0, NOW);
        const before = JSON.stringify(forked.toJson());
        const fork = new RecentKeys(forked);
        remember(fork, later, ...end);
        remember(direct, later, ...end);
        expect(JSON.stringify(forked.toJson())).toBe(before);
        for (const { key } of later) expect(fork.sequenceOf(`k${key}`)).toBe(direct.sequenceOf(`k${key}`));
        expect(fork.adopted().toJson()).toEqual(direct.toJson());
      }),
      { numRuns: 30 },
    );
  });
});

describe('a stored key', () => {
  const print = 'Ab_-0123456';

  it('is remembered without the fingerprint that it carries', () => {
    for (const id of ['k', 'a:b', '~', `~${print}:`, '']) {
      const key = idempotencyKey('1', 'message.send', id);
      const stored = withContent(key, print);
      expect([withoutContent(stored), contentOf(stored)]).toEqual([key, print]);
      const keys = new RecentKeys();
      keys.remember(stored, 3, NOW);
      expect(keys.sequenceOf(key)).toBe(3);
      expect(RecentKeys.fromJson(JSON.parse(JSON.stringify(keys.toJson()))).sequenceOf(key)).toBe(3);
    }
  });

  it('of a former version, a process or an import has none, whatever its id looks like', () => {
    for (const key of [
      `1:message.send:~${print}:x`,
      `process:${print}`,
      `irc:abc:~${print}`,
      `import:channel:~${print}:#a`,
    ])
      expect([withoutContent(key), contentOf(key)]).toEqual([key, undefined]);
  });

  it('gains and loses its fingerprint after the kind of command, and nothing else, whatever the key', () => {
    const piece = fc.constantFrom(':', '~', print, 'a', `~${print}:`, '1:message.send', '\n');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
        const key = pieces.join('');
        expect(withoutContent(key)).toBe(key.replace(/^([^:]*:[^:~]*)~[\w-]{11}(?=:)/, '$1'));
        expect(withoutContent(key) === key).toBe(contentOf(key) === undefined);
        expect(withContent(key, print)).toBe(key.replace(/^[^:]*:[^:]*/, `$&~${print}`));
      }),
    );
  });
});
