/** Random guilds with one channel and somebody in them, for whoever calculates permissions. */

import fc from 'fast-check';
import { ALL_PERMISSIONS, channelPermissions, guildPermissions, Permission } from '../../domain/permissions.ts';

export const [GUILD, OWNER, ANN, CHANNEL] = ['100', '1', '2', '200'] as const;
export const ROLES = ['300', '301', '302', '303'] as const;

const { viewChannel, administrator } = Permission;
/** What is decided on, what goes along with it, and some that matter to the guild alone. Most may see the channel. */
const BITS = [
  ...[viewChannel, viewChannel, Permission.readMessageHistory, Permission.sendMessages, Permission.attachFiles],
  ...[Permission.embedLinks, Permission.mentionEveryone, Permission.sendTtsMessages, Permission.addReactions],
  ...[Permission.manageMessages, Permission.manageRoles, Permission.kickMembers, Permission.sendMessagesInThreads],
];
export const USED = BITS.reduce((all, bit) => all | bit, administrator);

/** Bits by the digits of one number, and one that is rare. */
const bits = (rarely: bigint) =>
  fc.nat({ max: 2 ** (BITS.length + 4) - 1 }).map((chosen) => {
    const some = BITS.reduce((all, bit, n) => ((chosen >> n) & 1 ? all | bit : all), 0n);
    return (chosen >> BITS.length === 0 ? some | rarely : some).toString();
  });
const overwriteOf = (id: string, type: 0 | 1) =>
  fc.record({ id: fc.constant(id), type: fc.constant(type), allow: bits(0n), deny: bits(0n) });

export const aGuild = fc.record({
  userId: fc.constantFrom(OWNER, ANN, ANN, ANN, ANN),
  everyone: bits(administrator),
  given: fc.tuple(...ROLES.map(() => bits(administrator))),
  has: fc.subarray([...ROLES]),
  overwrites: fc
    .tuple(overwriteOf(GUILD, 0), ...ROLES.map((id) => overwriteOf(id, 0)), overwriteOf(ANN, 1), overwriteOf(OWNER, 1))
    .chain((all) => fc.shuffledSubarray(all)),
  isTimedOut: fc.boolean(),
});
export type AGuild = typeof aGuild extends fc.Arbitrary<infer T> ? T : never;

/** What our function says. */
export const permissionsIn = ({ userId, everyone, given, has, overwrites, isTimedOut }: AGuild) => {
  const roles = ROLES.map((id, n) => ({ id, permissions: given[n]!, position: n + 1 }));
  const guild = { id: GUILD, ownerId: OWNER, everyone, roles };
  const rights = { userId, roles: has, isTimedOut };
  const channel = { guildId: GUILD, overwrites, participants: [] };
  return {
    inGuild: guildPermissions(guild, rights),
    inChannel: channelPermissions(channel, guild, userId, rights),
  };
};

/** To a library everything is everything that it knows. */
export const asEverything = (permissions: bigint): bigint =>
  (permissions & administrator) === 0n ? permissions : ALL_PERMISSIONS;
