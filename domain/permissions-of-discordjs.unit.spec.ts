/** The permission function beside that of discord.js, on random guilds. */
import { Client, Guild, GuildMember, type PermissionsBitField, type TextChannel } from 'discord.js';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { ALL_PERMISSIONS, channelPermissions, guildPermissions, Permission } from './permissions.ts';

const [GUILD, OWNER, ANN, CHANNEL] = ['100', '1', '2', '200'];
const ROLES = ['300', '301', '302', '303'];
/** A guild of discord.js takes a millisecond to make. */
const SEVERAL = 1_000;

const client = new Client({ intents: [] });
afterAll(() => client.destroy());

const { viewChannel, sendMessages, manageMessages, administrator, attachFiles, addReactions } = Permission;
const BITS = [
  viewChannel,
  viewChannel,
  sendMessages,
  manageMessages,
  attachFiles,
  addReactions,
  Permission.manageRoles,
];

const bits = (rarely: bigint) =>
  fc
    .tuple(fc.subarray(BITS), fc.nat({ max: 20 }))
    .map(([some, n]) => some.reduce((all, bit) => all | bit, n === 0 ? rarely : 0n).toString());
const overwriteOf = (id: string, type: 0 | 1) =>
  fc.record({ id: fc.constant(id), type: fc.constant(type), allow: bits(0n), deny: bits(0n) });

const situation = fc.record({
  userId: fc.constantFrom(OWNER!, ANN!, ANN!, ANN!, ANN!),
  everyone: bits(administrator),
  given: fc.tuple(...ROLES.map(() => bits(administrator))),
  has: fc.subarray(ROLES),
  overwrites: fc
    .tuple(
      overwriteOf(GUILD!, 0),
      ...ROLES.map((id) => overwriteOf(id, 0)),
      overwriteOf(ANN!, 1),
      overwriteOf(OWNER!, 1),
    )
    .chain((all) => fc.shuffledSubarray(all)),
});

/** Its classes are made by its client alone. */
const make = <T>(its: unknown, ...given: readonly unknown[]): T =>
  new (its as new (...given: readonly unknown[]) => T)(...given);

const role = (id: string, permissions: string, position: number) => ({
  ...{ id, permissions, position, name: id, color: 0, colors: { primary_color: 0 }, hoist: false },
  ...{ managed: false, mentionable: false, flags: 0 },
});

it('gives the same permissions as discord.js in random guilds, before what a missing right takes along', () => {
  fc.assert(
    fc.property(situation, ({ userId, everyone, given, has, overwrites }) => {
      const roles = ROLES.map((id, n) => ({ id, permissions: given[n]!, position: n + 1 }));
      const theirs = make<Guild>(Guild, client, {
        ...{ id: GUILD, name: 'guild', owner_id: OWNER, features: [], emojis: [], stickers: [] },
        roles: [role(GUILD!, everyone, 0), ...roles.map((one) => role(one.id, one.permissions, one.position))],
        channels: [{ id: CHANNEL, type: 0, guild_id: GUILD, name: 'room', permission_overwrites: overwrites }],
      });
      const user = { id: userId, username: 'someone', discriminator: '0', avatar: null };
      const member = make<GuildMember>(GuildMember, client, { user, roles: has, flags: 0 }, theirs);
      const channel = theirs.channels.cache.get(CHANNEL!) as TextChannel;
      const guild = { id: GUILD!, ownerId: OWNER!, everyone, roles };
      const rights = { userId, roles: has };
      // In its own words everything is everything that it knows.
      const known = (permissions: Readonly<PermissionsBitField>) =>
        permissions.has(administrator) ? ALL_PERMISSIONS : permissions.bitfield;
      expect(guildPermissions(guild, rights)).toBe(known(member.permissions));
      const found = known(channel.permissionsFor(member));
      const seen = (found & viewChannel) === 0n ? 0n : found;
      const goesAlong = attachFiles | Permission.embedLinks | Permission.mentionEveryone | Permission.sendTtsMessages;
      const expected = (seen & sendMessages) === 0n ? seen & ~goesAlong : seen;
      const ours = { guildId: GUILD!, overwrites, participants: [] };
      expect(channelPermissions(ours, guild, userId, rights)).toBe(expected);
    }),
    { numRuns: SEVERAL },
  );
});
