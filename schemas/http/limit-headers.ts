/** How an HTTP answer tells the state of a rate limit. */
import type { LimitShown } from '../limit.ts';

/** @param now milliseconds since 1970 */
export const limitHeaders = (state: LimitShown, now: number): Record<string, string> => ({
  'x-ratelimit-limit': String(state.limit),
  'x-ratelimit-remaining': String(state.remaining),
  'x-ratelimit-reset': (now / 1000 + state.resetAfter).toFixed(3),
  'x-ratelimit-reset-after': state.resetAfter.toFixed(3),
  'x-ratelimit-bucket': state.bucket,
});

/** Beside `limitHeaders` on the answer that was refused; `Retry-After` is whole seconds, as HTTP has it. */
export const refusalHeaders = (scope: LimitShown['scope'], retryAfter: number): Record<string, string> => ({
  'retry-after': String(Math.max(1, Math.ceil(retryAfter))),
  'x-ratelimit-scope': scope,
  ...(scope === 'global' ? { 'x-ratelimit-global': 'true' } : {}),
});
