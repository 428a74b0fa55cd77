import { describe, expect, it } from 'vitest';
import { systemClock } from '../schemas/clock.ts';
import { BELIEVED_AFTER_MS, JUMP_MS, steadyClock } from './steady-clock.ts';

const START = 1_700_000_000_000;
const YEARS = 80 * 365 * 86_400_000;

const aClock = () => {
  const jumps: number[] = [];
  const hands = { wall: START, passed: 0.25 };
  const { wallTime: now } = steadyClock(
    { ...systemClock, wallTime: () => hands.wall, monotonic: () => hands.passed },
    (aheadMs) => void jumps.push(aheadMs),
  );
  const pass = (ms: number) => {
    hands.wall += ms;
    hands.passed += ms;
  };
  const set = (byMs: number) => {
    hands.wall += byMs;
  };
  return { now, pass, set, jumps };
};

describe('the time of ids and events', () => {
  it('is that of the clock, which may be set by some minutes', () => {
    const { now, pass, set, jumps } = aClock();
    pass(5_000);
    expect(now()).toBe(START + 5_000);
    set(JUMP_MS);
    expect(now()).toBe(START + 5_000 + JUMP_MS);
    set(-JUMP_MS);
    expect(now()).toBe(START + 5_000);
    expect(jumps).toEqual([]);
  });

  it.each([
    ['ahead', YEARS],
    ['back', -YEARS],
  ])('goes on as before while the clock is far %s for a moment, which is told once', (_, far) => {
    const { now, pass, set, jumps } = aClock();
    set(far);
    expect(now()).toBe(START);
    pass(1_000);
    expect(now()).toBe(START + 1_000);
    set(-far);
    expect(now()).toBe(START + 1_000);
    expect(jumps).toEqual([far]);
  });

  it('is that of the clock again once it has stayed where it jumped to', () => {
    const { now, pass, set, jumps } = aClock();
    set(86_400_000);
    expect(now()).toBe(START);
    pass(BELIEVED_AFTER_MS - 1);
    expect(now()).toBe(START + BELIEVED_AFTER_MS - 1);
    pass(1);
    expect(now()).toBe(START + 86_400_000 + BELIEVED_AFTER_MS);
    expect(jumps).toHaveLength(1);
  });

  it('believes no clock that keeps jumping', () => {
    const { now, pass, set } = aClock();
    for (let jump = 1; jump <= 5; jump += 1) {
      set(86_400_000);
      expect(now()).toBe(START + (jump - 1) * (BELIEVED_AFTER_MS / 2));
      pass(BELIEVED_AFTER_MS / 2);
    }
  });
});
