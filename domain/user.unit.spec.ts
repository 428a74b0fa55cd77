import { describe, expect, it } from 'vitest';
import { events } from './testing.ts';
import { signOut, userFold } from './user.ts';

const NOW = 1_000;
const UNTIL = 2_000;
const fresh = userFold.initial();
const ended = (generation: number, ...ids: readonly string[]) => ({
  ...fresh,
  signedOut: { generation, signIns: ids.map((id) => ({ id, until: UNTIL })) },
});
const signingOut = (signIn: string | undefined, state = fresh, now = NOW) =>
  events(signOut({ userId: '1', signIn, until: UNTIL, now, key: 'k' }, state)).map((event) => event.data);

describe('signing out', () => {
  it('ends one sign-in, and keeps those that ended before until their tokens have expired', () => {
    expect(signingOut('a')).toEqual([{ userId: '1', generation: 0, signIns: [{ id: 'a', until: UNTIL }] }]);
    const two = [
      { id: 'a', until: UNTIL },
      { id: 'b', until: UNTIL },
    ];
    expect(signingOut('b', ended(3, 'a'))).toEqual([{ userId: '1', generation: 3, signIns: two }]);
    expect(signingOut('b', ended(3, 'a'), UNTIL)).toEqual([
      { userId: '1', generation: 3, signIns: [{ id: 'b', until: UNTIL }] },
    ]);
  });

  it('has happened already when the sign-in has ended', () => {
    expect(signingOut('a', ended(0, 'a'))).toEqual([]);
  });

  it('everywhere begins another generation', () => {
    expect(signingOut(undefined, ended(3, 'a'))).toEqual([{ userId: '1', generation: 4, signIns: [] }]);
  });

  it('ends all when too many sign-ins have ended at once', () => {
    const many = Array.from({ length: 100 }, (_, i) => `s${i}`);
    expect(signingOut('a', ended(3, ...many))).toEqual([{ userId: '1', generation: 4, signIns: [] }]);
  });
});
