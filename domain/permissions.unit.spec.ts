import { describe, expect, it } from 'vitest';
import type { Overwrite } from '../schemas/events/channel.ts';
import {
  ALL_PERMISSIONS,
  allows,
  channelPermissions,
  DEFAULT_EVERYONE,
  guildPermissions,
  Permission,
} from './permissions.ts';
import { ANN, BEN, GUILD, guild, OWNER, STRANGER } from './testing.ts';

const { viewChannel, sendMessages, manageMessages, administrator } = Permission;

const everyone = (deny: bigint, allow = 0n): Overwrite => ({ id: GUILD, type: 0, allow: `${allow}`, deny: `${deny}` });
const only = (id: string, allow: bigint, deny = 0n): Overwrite => ({ id, type: 1, allow: `${allow}`, deny: `${deny}` });

const inChannel = (userId: string, overwrites: readonly Overwrite[], isMember = true, of = guild) =>
  channelPermissions({ guildId: GUILD, overwrites, participants: [] }, of, userId, isMember);

describe('permissions in a guild', () => {
  it('are none for non-members, even the owner', () => {
    expect(guildPermissions(guild, STRANGER, false)).toBe(0n);
    expect(guildPermissions(guild, OWNER, false)).toBe(0n);
  });

  it('are all for the owner, and those of @everyone for other members', () => {
    expect(guildPermissions(guild, OWNER, true)).toBe(ALL_PERMISSIONS);
    expect(guildPermissions(guild, ANN, true)).toBe(DEFAULT_EVERYONE);
  });

  it('are all for an administrator', () => {
    const administered = { ...guild, everyone: `${administrator}` };
    expect(guildPermissions(administered, ANN, true)).toBe(ALL_PERMISSIONS);
  });
});

describe('permissions in a channel', () => {
  it('are those of the guild if nothing is overwritten', () => {
    expect(inChannel(ANN, [])).toBe(DEFAULT_EVERYONE);
    expect(inChannel(STRANGER, [], false)).toBe(0n);
  });

  it('lose what @everyone is denied, and gain what it is allowed', () => {
    const permissions = inChannel(ANN, [everyone(sendMessages, manageMessages)]);
    expect(allows(permissions, sendMessages)).toBe(false);
    expect(allows(permissions, manageMessages | viewChannel)).toBe(true);
  });

  it("let a member's overwrite win over that of @everyone, in any order", () => {
    const hidden = [everyone(viewChannel | sendMessages), only(ANN, viewChannel)];
    for (const overwrites of [hidden, hidden.toReversed()]) {
      expect(allows(inChannel(ANN, overwrites), viewChannel)).toBe(true);
      expect(allows(inChannel(ANN, overwrites), sendMessages)).toBe(false);
      expect(inChannel(BEN, overwrites)).toBe(0n);
    }
  });

  it('let allow win over deny within one overwrite, as Discord does', () => {
    expect(allows(inChannel(ANN, [everyone(sendMessages, sendMessages)]), sendMessages)).toBe(true);
  });

  it('are none if the channel cannot be seen', () => {
    expect(inChannel(ANN, [everyone(viewChannel)])).toBe(0n);
    expect(inChannel(ANN, [only(ANN, manageMessages, viewChannel)])).toBe(0n);
  });

  it('cannot be taken from the owner, nor given to an outsider', () => {
    expect(inChannel(OWNER, [everyone(viewChannel), only(OWNER, 0n, viewChannel)])).toBe(ALL_PERMISSIONS);
    expect(inChannel(STRANGER, [only(STRANGER, viewChannel)], false)).toBe(0n);
  });

  it('do not confuse the overwrites of a member and a role of the same id', () => {
    expect(allows(inChannel(ANN, [{ ...only(ANN, 0n, sendMessages), type: 0 }]), sendMessages)).toBe(true);
    expect(allows(inChannel(ANN, [only(BEN, 0n, sendMessages)]), sendMessages)).toBe(true);
  });

  it('let the participants of a direct channel talk, and give others none', () => {
    const direct = { guildId: null, overwrites: [], participants: [ANN, BEN] };
    const of = (userId: string) => channelPermissions(direct, undefined, userId, false);
    expect(allows(of(ANN), viewChannel | sendMessages | Permission.readMessageHistory)).toBe(true);
    expect(allows(of(BEN), manageMessages)).toBe(false);
    expect(of(OWNER)).toBe(0n);
  });
});
