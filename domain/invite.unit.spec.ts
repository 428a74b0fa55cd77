import { describe, expect, it } from 'vitest';
import { createInvite, deleteInvite, inviteFold, isOpen, redeem } from './invite.ts';
import { ANN, BEN, CHANNEL, events, GUILD, History, NOW, OWNER, only, refusal, STRANGER } from './testing.ts';

const anInvite = (maxUses: number, expiresAt: number | null = null) =>
  new History(inviteFold, 'invite-abc').given((state) => {
    const invite = { code: 'abc', guildId: GUILD, channelId: CHANNEL, inviterId: OWNER, maxUses, expiresAt };
    return createInvite({ invite }, state);
  }, 'created');

const by = (userId: string, now = NOW, key = `${userId}:join`) => ({ userId, now, key });

describe('an invite', () => {
  it('is created once', () => {
    const { state } = anInvite(1);
    expect(events(createInvite({ invite: { ...state.invite!, maxUses: 9 } }, state))).toEqual([]);
  });

  it('admits as many users as its cap', () => {
    const invite = anInvite(2)
      .given((state) => redeem(by(ANN), state), `${ANN}:join`)
      .given((state) => redeem(by(BEN), state), `${BEN}:join`);
    expect(refusal(redeem(by(STRANGER), invite.state))).toBe('inviteUsedUp');
    expect(invite.state.uses).toBe(2);
  });

  it('counts the same user once, even when it is full', () => {
    const invite = anInvite(1).given((state) => redeem(by(ANN), state), `${ANN}:join`);
    expect(events(redeem(by(ANN), invite.state))).toEqual([]);
    expect(events(redeem(by(ANN, NOW, 'again'), invite.state))).toEqual([]);
  });

  it('takes nothing under the id that made it, so a state restored from JSON equals the original', () => {
    const { state } = anInvite(0).given((before) => redeem(by(ANN), before), `${ANN}:join`);
    expect(events(redeem(by(BEN, NOW, 'created'), state))).toEqual([]);
    expect(inviteFold.fromJson(JSON.parse(JSON.stringify(inviteFold.toJson(state))))).toEqual(state);
  });

  it('once expired lets nobody in again, and answers the command that redeemed it', () => {
    const invite = anInvite(1, NOW + 5).given((state) => redeem(by(ANN), state), `${ANN}:join`);
    expect(events(redeem(by(ANN, NOW + 4, 'again'), invite.state))).toEqual([]);
    expect(refusal(redeem(by(ANN, NOW + 5, 'again'), invite.state))).toBe('inviteExpired');
    expect(events(redeem(by(ANN, NOW + 5), invite.state))).toEqual([]);
  });

  it('names who redeemed it, and the guild', () => {
    expect(only(redeem(by(ANN), anInvite(1).state))).toEqual({
      type: 'invite-redeemed',
      data: { code: 'abc', guildId: GUILD, userId: ANN },
    });
  });

  it('is unknown before it is created and once it has expired', () => {
    expect(refusal(redeem(by(ANN), inviteFold.initial()))).toBe('unknownInvite');
    expect(refusal(redeem(by(ANN, NOW), anInvite(5, NOW).state))).toBe('inviteExpired');
    const deleted = anInvite(5).given((state) => deleteInvite({ may: true, key: 'd' }, state));
    expect(refusal(redeem(by(ANN), deleted.state))).toBe('unknownInvite');
    expect(refusal(deleteInvite({ may: true, key: 'e' }, deleted.state))).toBe('unknownInvite');
    expect(refusal(deleteInvite({ may: false, key: 'd' }, anInvite(5).state))).toBe('missingPermissions');
    expect(refusal(redeem(by(ANN, NOW - 1), anInvite(5, NOW).state))).toBeUndefined();
  });

  it('without cap and expiry stays open for ever', () => {
    expect(isOpen({ maxUses: 0, expiresAt: null }, 1e6, Number.MAX_SAFE_INTEGER)).toBe(true);
  });
});
