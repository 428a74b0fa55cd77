import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LAST_ID_TIME,
  lowBitsSource,
  messageIdAfter,
  NoIdLeft,
  SNOWFLAKE_EPOCH,
  snowflakeAt,
  snowflakeSource,
  snowflakeTime,
} from './snowflake.ts';

const time = fc.integer({ min: SNOWFLAKE_EPOCH, max: SNOWFLAKE_EPOCH + 2 ** 40 });

describe('a snowflake', () => {
  it('holds the time it was made', () => {
    fc.assert(
      fc.property(time, fc.bigInt(0n, (1n << 22n) - 1n), (ms, low) => {
        const id = snowflakeAt(ms, low);
        expect(snowflakeTime(id)).toBe(ms);
        expect(BigInt(id) & ((1n << 22n) - 1n)).toBe(low);
      }),
    );
    // Discord's own example.
    expect(new Date(snowflakeTime('175928847299117063')).toISOString()).toBe('2016-04-30T11:18:25.796Z');
  });

  it('has at most 63 bits: there is none for a later time', () => {
    expect(snowflakeAt(LAST_ID_TIME, (1n << 22n) - 1n)).toBe(String(2n ** 63n - 1n));
    for (const later of [LAST_ID_TIME + 1, Date.UTC(2204, 11, 25), Date.UTC(9998, 11, 31), Number.NaN])
      expect(() => snowflakeAt(later, 0n)).toThrow(NoIdLeft);
    expect(() => messageIdAfter(LAST_ID_TIME, 0, 0n)).toThrow(NoIdLeft);
  });

  it('cannot be older than 2015', () => {
    expect(snowflakeAt(Date.UTC(2004, 11, 25), 5n)).toBe('5');
  });
});

describe('the id of the next message', () => {
  const low = fc.bigInt(0n, (1n << 22n) - 1n);

  it('grows with the ordinal, whatever the clocks say', () => {
    const clock = fc.oneof(time, fc.integer({ min: 0, max: SNOWFLAKE_EPOCH }));
    fc.assert(
      fc.property(fc.array(fc.tuple(clock, low), { minLength: 2 }), (moments) => {
        let head = 0n;
        let headTime = 0;
        for (const [ms, bits] of moments) {
          const next = messageIdAfter(headTime, ms, bits);
          if (headTime > 0) expect(BigInt(next)).toBeGreaterThan(head);
          head = BigInt(next);
          headTime = snowflakeTime(next);
        }
      }),
    );
  });

  it('has the time of the clock when that is ahead', () => {
    const now = SNOWFLAKE_EPOCH + 1000;
    expect(messageIdAfter(0, now, 3n)).toBe(snowflakeAt(now, 3n));
    expect(messageIdAfter(now - 1, now, 3n)).toBe(snowflakeAt(now, 3n));
  });

  it('is one millisecond after the last when the clock is not ahead of it', () => {
    const head = SNOWFLAKE_EPOCH + 1000;
    for (const clock of [head, head - 1, 0]) expect(messageIdAfter(head, clock, 3n)).toBe(snowflakeAt(head + 1, 3n));
  });

  it('starts in 2015 for a message from before 2015', () => {
    expect(messageIdAfter(0, Date.UTC(2004, 11, 25), 3n)).toBe('3');
  });
});

describe('low bits of message ids', () => {
  it('are distinct for 4,096 in a row and between workers', () => {
    const [one, other] = [lowBitsSource(() => 1), lowBitsSource(() => 1023)];
    const bits = Array.from({ length: 4096 }, () => [one(), other()]).flat();
    expect(new Set(bits).size).toBe(8192);
    expect(bits.every((low) => low < 1n << 22n)).toBe(true);
  });
});

describe('a source of ids', () => {
  it('never repeats an id and always grows, even when the clock stands still or goes back', () => {
    const next = snowflakeSource(() => 7);
    const clock = [...Array.from({ length: 10_000 }, () => 5000), 4000, 5001, 5002, 9000].map(
      (ms) => SNOWFLAKE_EPOCH + ms,
    );
    const ids = clock.map((ms) => BigInt(next(ms)));
    for (const [i, id] of ids.entries()) if (i > 0) expect(id > ids[i - 1]!).toBe(true);
  });

  it('goes on after a time that no id can hold', () => {
    const next = snowflakeSource(() => 7);
    const at = SNOWFLAKE_EPOCH + 1000;
    next(at);
    expect(() => next(LAST_ID_TIME + 1)).toThrow(NoIdLeft);
    expect(snowflakeTime(next(at + 1))).toBe(at + 1);
  });

  it('makes different ids from those of another worker at the same time', () => {
    const [one, other] = [snowflakeSource(() => 1), snowflakeSource(() => 2)];
    const at = SNOWFLAKE_EPOCH + 1000;
    const ids = Array.from({ length: 5000 }, () => [one(at), other(at)]).flat();
    expect(new Set(ids).size).toBe(10_000);
  });
});
