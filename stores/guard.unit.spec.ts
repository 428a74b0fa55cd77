import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestClock } from '../schemas/clock.testing.ts';
import { systemClock } from '../schemas/clock.ts';
import { StoreUnavailable } from '../schemas/errors.ts';
import { Guard } from './guard.ts';

class Outage extends Error {}

const guarded = () =>
  new Guard(
    'timelines',
    { timeoutMs: 5000, failureRatio: 0.5, openMs: 30_000 },
    (e) => (e instanceof Outage ? 'transient' : 'permanent'),
    systemClock,
  );
const answers = async () => 'an answer';
const fails = async () => {
  throw new Outage();
};
const refusal = (guard: Guard, ask: () => Promise<unknown> = answers) =>
  guard.run(ask).then(
    () => expect.fail('was answered'),
    (error: unknown) => error,
  );

describe('the guard of a server', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('passes on answers', async () => {
    expect(await guarded().run(answers)).toBe('an answer');
  });

  it('turns an outage into StoreUnavailable, with its cause', async () => {
    const error = await refusal(guarded(), fails);
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error).toMatchObject({ store: 'timelines', retryAfter: 5, cause: expect.any(Outage) });
  });

  it('passes on errors of the request, and does not count them', async () => {
    const guard = guarded();
    for (let n = 0; n < 20; n += 1)
      expect(await refusal(guard, () => Promise.reject(new TypeError('so')))).toBeInstanceOf(TypeError);
    expect(await guard.run(answers)).toBe('an answer');
  });

  it('stops asking when more than the given share fails, and says when it asks again', async () => {
    const guard = guarded();
    for (let n = 0; n < 4; n += 1) await guard.run(answers);
    for (let n = 0; n < 5; n += 1) await refusal(guard, fails);
    const ask = vi.fn(answers);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await refusal(guard, ask)).toMatchObject({ retryAfter: 20 });
    expect(ask).not.toHaveBeenCalled();
  });

  it('keeps asking while enough requests succeed', async () => {
    const guard = guarded();
    for (let n = 0; n < 20; n += 1) {
      await guard.run(answers);
      await refusal(guard, fails);
    }
    expect(await guard.run(answers)).toBe('an answer');
  });

  it('tries one request after the pause, and closes when it is answered', async () => {
    const guard = guarded();
    for (let n = 0; n < 5; n += 1) await refusal(guard, fails);
    await vi.advanceTimersByTimeAsync(30_000);
    await refusal(guard, fails);
    expect(await refusal(guard)).toMatchObject({ retryAfter: 30 });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await guard.run(answers)).toBe('an answer');
    expect(await guard.run(answers)).toBe('an answer');
  });

  it('asks again after its pause, wherever the wall clock goes', async () => {
    for (const jump of [120_000, -2 * 86_400_000]) {
      const clock = new TestClock();
      const options = { timeoutMs: 5000, failureRatio: 0.5, openMs: 30_000 };
      const guard = new Guard('timelines', options, (e) => (e instanceof Outage ? 'transient' : 'permanent'), clock);
      for (let n = 0; n < 5; n += 1) await refusal(guard, fails);
      clock.jump(jump);
      expect(await refusal(guard)).toMatchObject({ retryAfter: 30 });
      await clock.advance(30_000);
      expect(await guard.run(answers)).toBe('an answer');
    }
  });
});
