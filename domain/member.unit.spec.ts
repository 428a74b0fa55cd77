import { describe, expect, it } from 'vitest';
import { join, leave, memberFold } from './member.ts';
import { ANN, events, GUILD, History, OWNER, only, refusal, types } from './testing.ts';

const as = (key: string, userId = ANN) => ({ guildId: GUILD, userId, key, announcedIn: null });
const joined = (key = 'j') =>
  new History(memberFold, `member-${GUILD}_${ANN}`).given((state) => join({ ...as(key), invite: 'abc' }, state), key);

describe('joining', () => {
  it('records the invite, and the original time of an imported member', () => {
    const event = only(join({ ...as('j'), invite: 'abc', time: 5 }, memberFold.initial()));
    expect(event).toEqual({
      type: 'member-joined',
      data: { guildId: GUILD, userId: ANN, invite: 'abc', announcedIn: null },
      time: 5,
    });
  });

  it('does nothing for a member', () => {
    expect(events(join({ ...as('other'), invite: null }, joined().state))).toEqual([]);
  });

  it('can happen again after leaving, but not by repeating the earlier command', () => {
    const left = joined().given((state) => leave({ ...as('l'), ownerId: OWNER }, state), 'l');
    expect(events(join({ ...as('j'), invite: 'abc' }, left.state))).toEqual([]);
    expect(types(join({ ...as('again'), invite: 'abc' }, left.state))).toEqual(['member-joined']);
  });
});

describe('leaving', () => {
  it('happens once per command', () => {
    const left = joined().given((state) => leave({ ...as('l'), ownerId: OWNER }, state), 'l');
    expect(left.state.joined).toBe(false);
    expect(events(leave({ ...as('l'), ownerId: OWNER }, left.state))).toEqual([]);
    expect(refusal(leave({ ...as('l2'), ownerId: OWNER }, left.state))).toBe('unknownGuild');
  });

  it('is refused to non-members and to the owner', () => {
    expect(refusal(leave({ ...as('l'), ownerId: OWNER }, memberFold.initial()))).toBe('unknownGuild');
    expect(refusal(leave({ ...as('l', ANN), ownerId: ANN }, joined().state))).toBe('ownerCannotLeave');
    expect(refusal(leave({ ...as('l', OWNER), ownerId: OWNER }, memberFold.initial()))).toBe('unknownGuild');
  });
});
