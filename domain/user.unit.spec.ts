import { describe, expect, it } from 'vitest';
import { NO_ABOUT, type Profile } from '../schemas/events/user.ts';
import type { Decision } from './decider.ts';
import { RecentKeys } from './recent-keys.ts';
import { events, only, refusal, types } from './testing.ts';
import {
  changeProfile,
  deleteUser,
  keepAccount,
  requestDeletion,
  setDisabled,
  signOut,
  type UserState,
  userFold,
} from './user.ts';

const NOW = 1_000;
const UNTIL = 2_000;
const fresh = userFold.initial();
const ended = (generation: number, ...ids: readonly string[]) => ({
  ...fresh,
  signedOut: { generation, signIns: ids.map((id) => ({ id, until: UNTIL })) },
});
const signingOut = (signIn: string | undefined, state = fresh, now = NOW) =>
  events(signOut({ userId: '1', signIn, until: UNTIL, now, key: 'k' }, state)).map((event) => event.data);

const registered = { ...fresh, registered: true };
const profile = { username: 'ada', globalName: null };

describe('a profile', () => {
  const changing = (next: Profile, state = registered) =>
    changeProfile({ userId: '1', present: profile, next, guilds: ['7'], key: 'k' }, state);

  it('is stored as a whole, for the guilds that the user is in', () => {
    const next = { ...profile, about: { ...NO_ABOUT, bio: 'counts' } };
    expect(only(changing(next))).toEqual({
      type: 'user-profile-changed',
      data: { userId: '1', guilds: ['7'] },
      secret: { by: '1', text: JSON.stringify(next) },
    });
  });

  it('that is as asked for already changes nothing', () => {
    expect(events(changing({ ...profile }))).toEqual([]);
  });

  it('is changed once under one key', () => {
    const keys = new RecentKeys();
    keys.remember('k', 2, NOW);
    expect(events(changing({ ...profile, globalName: 'Ada' }, { ...registered, keys }))).toEqual([]);
  });

  it('is not changed by whoever may not use the account', () => {
    const shut = { disabled: true, due: null, deleted: false };
    expect(refusal(changing({ ...profile, globalName: 'Ada' }, { ...registered, standing: shut }))).toBe(
      'unauthorized',
    );
  });
});

describe('an account', () => {
  const good = { disabled: false, due: null, deleted: false };
  const standingAfter = (decision: Decision) =>
    events(decision).flatMap((event) => (event.type === 'user-standing-changed' ? [event.data.standing] : []));
  const disabling = (disabled: boolean, state = registered) => setDisabled({ userId: '1', disabled, key: 'k' }, state);
  const shut = { ...registered, standing: { ...good, disabled: true } };
  const leaving = { ...registered, standing: { ...good, due: NOW } };
  const gone = { ...registered, standing: { ...good, deleted: true } };

  it('that is shut is signed out everywhere; opening it does not sign anybody in', () => {
    expect(types(disabling(true))).toEqual(['user-signed-out', 'user-standing-changed']);
    expect(types(disabling(false, shut))).toEqual(['user-standing-changed']);
    expect(events(disabling(true, shut))).toEqual([]);
    expect(refusal(disabling(true, gone))).toBe('unknownUser');
    expect(refusal(disabling(true, fresh))).toBe('unknownUser');
  });

  it('stays shut while its deletion is taken back, and leaves while it is shut', () => {
    const both = { ...registered, standing: { disabled: true, due: NOW, deleted: false } };
    expect(standingAfter(disabling(false, both))).toEqual([{ ...good, due: NOW }]);
    expect(refusal(keepAccount({ userId: '1', now: NOW - 1 }, both))).toBe('accountDisabled');
  });

  it('is to be deleted once its owner asks, who is signed out', () => {
    const asking = (state = registered) => requestDeletion({ userId: '1', due: NOW, key: 'k' }, state);
    expect(types(asking())).toEqual(['user-signed-out', 'user-standing-changed']);
    for (const state of [shut, leaving, gone]) expect(refusal(asking(state))).toBe('unauthorized');
  });

  it('is kept by whoever signs in before that is due', () => {
    expect(standingAfter(keepAccount({ userId: '1', now: NOW - 1 }, leaving))).toEqual([good]);
    expect(refusal(keepAccount({ userId: '1', now: NOW }, leaving))).toBe('unauthorized');
    expect(events(keepAccount({ userId: '1', now: NOW }, registered))).toEqual([]);
  });

  it('is deleted once, when that is due or whenever an administrator wants it', () => {
    const deleting = (state: UserState, now?: number) =>
      deleteUser({ userId: '1', guilds: ['7'], key: 'd', ...(now === undefined ? {} : { now }) }, state);
    expect(events(deleting(leaving, NOW - 1))).toEqual([]);
    expect(events(deleting(registered, NOW))).toEqual([]);
    const deleted = { type: 'user-deleted', data: { userId: '1', guilds: ['7'] } };
    expect(only(deleting(leaving, NOW))).toEqual(deleted);
    expect(only(deleting(registered))).toEqual(deleted);
    expect(events(deleting(gone, NOW))).toEqual([]);
    expect(refusal(deleting(gone))).toBe('unknownUser');
    expect(refusal(deleting(fresh))).toBe('unknownUser');
  });
});

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
