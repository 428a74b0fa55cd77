import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Overwrite } from '../schemas/events/channel.ts';
import {
  ALL_PERMISSIONS,
  allows,
  channelPermissions,
  DEFAULT_EVERYONE,
  type GuildRights,
  guildPermissions,
  holdersOf,
  type MemberRights,
  outranks,
  outranksRole,
  Permission,
} from './permissions.ts';
import { ANN, BEN, GUILD, guild, OWNER, STRANGER } from './testing.ts';

const { viewChannel, sendMessages, manageMessages, administrator } = Permission;

const everyone = (deny: bigint, allow = 0n): Overwrite => ({ id: GUILD, type: 0, allow: `${allow}`, deny: `${deny}` });
const only = (id: string, allow: bigint, deny = 0n): Overwrite => ({ id, type: 1, allow: `${allow}`, deny: `${deny}` });

const member = (userId: string, roles: readonly string[] = [], isTimedOut = false) => ({ userId, roles, isTimedOut });

const inChannel = (
  userId: string,
  overwrites: readonly Overwrite[],
  as: MemberRights | undefined = member(userId),
  of: GuildRights = guild,
) => channelPermissions({ guildId: GUILD, overwrites, participants: [] }, of, userId, as);

const outside = (userId: string, overwrites: readonly Overwrite[]) =>
  channelPermissions({ guildId: GUILD, overwrites, participants: [] }, guild, userId, undefined);

describe('permissions in a guild', () => {
  it('are none for who is no member', () => {
    expect(guildPermissions(guild, undefined)).toBe(0n);
  });

  it('are all for the owner, and those of @everyone for other members', () => {
    expect(guildPermissions(guild, member(OWNER))).toBe(ALL_PERMISSIONS);
    expect(guildPermissions(guild, member(ANN))).toBe(DEFAULT_EVERYONE);
  });

  it('are all for an administrator', () => {
    const administered = { ...guild, everyone: `${administrator}` };
    expect(guildPermissions(administered, member(ANN))).toBe(ALL_PERMISSIONS);
  });

  it('are held by the same members when many are asked at once', () => {
    const bit = fc.constantFrom(0n, viewChannel, sendMessages, manageMessages, administrator);
    const bits = fc.tuple(bit, bit).map(([one, other]) => `${one | other}`);
    const role = (id: string) => bits.map((permissions) => ({ id, permissions, position: 1 }));
    const aGuild = fc.record({ everyone: bits, roles: fc.tuple(role('51'), role('52')) });
    const aMember = fc.record({
      userId: fc.constantFrom(OWNER, ANN),
      roles: fc.subarray(['51', '52', '53']),
      isTimedOut: fc.boolean(),
    });
    fc.assert(
      fc.property(aGuild, fc.array(aMember), (rights, members) => {
        const of = { ...guild, ...rights };
        for (const wanted of [viewChannel, manageMessages, administrator])
          expect(members.map(holdersOf(of, wanted))).toEqual(
            members.map((one) => allows(guildPermissions(of, one), wanted)),
          );
      }),
    );
  });
});

describe('permissions in a channel', () => {
  it('are those of the guild if nothing is overwritten', () => {
    expect(inChannel(ANN, [])).toBe(DEFAULT_EVERYONE);
    expect(outside(STRANGER, [])).toBe(0n);
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
    expect(outside(STRANGER, [only(STRANGER, viewChannel)])).toBe(0n);
  });

  it('do not confuse the overwrites of a member and a role of the same id', () => {
    expect(allows(inChannel(ANN, [{ ...only(ANN, 0n, sendMessages), type: 0 }]), sendMessages)).toBe(true);
    expect(allows(inChannel(ANN, [only(BEN, 0n, sendMessages)]), sendMessages)).toBe(true);
  });

  it('let the participants of a direct channel talk, and give others none', () => {
    const direct = { guildId: null, overwrites: [], participants: [ANN, BEN] };
    const of = (userId: string) => channelPermissions(direct, undefined, userId, undefined);
    expect(allows(of(ANN), viewChannel | sendMessages | Permission.readMessageHistory)).toBe(true);
    expect(allows(of(BEN), manageMessages)).toBe(false);
    expect(of(OWNER)).toBe(0n);
  });
});

describe('roles', () => {
  const role = (id: string, position: number, permissions = 0n) => ({ id, position, permissions: `${permissions}` });
  const [low, high, twin] = [role('11', 1, manageMessages), role('12', 2, Permission.manageRoles), role('13', 2)];
  const withRoles = { ...guild, roles: [low, twin, high] };

  it('add what they give to what @everyone gives, and one that is deleted gives nothing', () => {
    const given = guildPermissions(withRoles, member(ANN, ['11', '12', '99']));
    expect(given).toBe(DEFAULT_EVERYONE | manageMessages | Permission.manageRoles);
    expect(guildPermissions({ ...guild, roles: [role('11', 1, administrator)] }, member(ANN, ['11']))).toBe(
      ALL_PERMISSIONS,
    );
  });

  it('deny together and then allow together, before what the member is denied', () => {
    const of = (id: string, allow: bigint, deny: bigint): Overwrite => ({ ...only(id, allow, deny), type: 0 });
    const both = [of('11', sendMessages, 0n), of('12', 0n, sendMessages)];
    for (const overwrites of [both, both.toReversed()])
      expect(allows(inChannel(ANN, overwrites, member(ANN, ['11', '12']), withRoles), sendMessages)).toBe(true);
    const denied = [...both, only(ANN, 0n, sendMessages)];
    expect(allows(inChannel(ANN, denied, member(ANN, ['11', '12']), withRoles), sendMessages)).toBe(false);
    // An overwrite of a role that is deleted, or that the member does not have, means nothing to them.
    expect(allows(inChannel(ANN, [of('99', 0n, viewChannel)], member(ANN, ['99']), withRoles), viewChannel)).toBe(true);
    expect(allows(inChannel(ANN, [of('12', 0n, viewChannel)], member(ANN, ['11']), withRoles), viewChannel)).toBe(true);
  });

  it('let nobody act on what is at or above their own highest; of two at one place the older is higher', () => {
    const asTwin = member(BEN, ['13']);
    expect([low, twin, high].map((one) => outranksRole(withRoles, asTwin, one))).toEqual([true, false, false]);
    expect(outranksRole(withRoles, member(BEN), low)).toBe(false);
    expect(outranksRole(withRoles, member(OWNER), high)).toBe(true);
    expect(outranks(withRoles, asTwin, member(ANN, ['11']))).toBe(true);
    expect(outranks(withRoles, asTwin, member(ANN, ['13']))).toBe(false);
    expect(outranks(withRoles, member(BEN, ['12']), member(OWNER))).toBe(false);
    expect(outranks(withRoles, member(OWNER), member(ANN, ['12']))).toBe(true);
  });
});

describe('a missing right', () => {
  it('takes along what goes with a message, when it is that to send', () => {
    const permissions = inChannel(ANN, [everyone(sendMessages)]);
    const { mentionEveryone, attachFiles, embedLinks, addReactions } = Permission;
    for (const bit of [mentionEveryone, attachFiles, embedLinks]) expect(allows(permissions, bit)).toBe(false);
    expect(allows(permissions, addReactions | viewChannel)).toBe(true);
  });

  it('during a timeout is every one but to see and to read, except for owner and administrators', () => {
    const left = viewChannel | Permission.readMessageHistory;
    expect(guildPermissions(guild, member(ANN, [], true))).toBe(left);
    expect(inChannel(ANN, [everyone(0n, manageMessages)], member(ANN, [], true))).toBe(left);
    expect(inChannel(ANN, [everyone(viewChannel)], member(ANN, [], true))).toBe(0n);
    expect(inChannel(OWNER, [], member(OWNER, [], true))).toBe(ALL_PERMISSIONS);
    const administered = { ...guild, everyone: `${administrator}` };
    expect(guildPermissions(administered, member(ANN, [], true))).toBe(ALL_PERMISSIONS);
  });
});
