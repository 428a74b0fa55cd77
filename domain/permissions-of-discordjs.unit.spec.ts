/** The permission function beside that of discord.js, on random guilds. */
import { Client, Guild, GuildMember, PermissionsBitField, type TextChannel } from 'discord.js';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { aGuild, asEverything, CHANNEL, GUILD, OWNER, permissionsIn, ROLES } from '../test/support/random-guilds.ts';
import { Permission } from './permissions.ts';

const SEVERAL = 10_000;

const client = new Client({ intents: [] });
afterAll(() => client.destroy());

/** Its classes are made by its client alone. */
const make = <T>(its: unknown, ...given: readonly unknown[]): T =>
  new (its as new (...given: readonly unknown[]) => T)(...given);

const role = (id: string, position: number) => ({
  ...{ id, permissions: '0', position, name: id, color: 0, colors: { primary_color: 0 }, hoist: false },
  ...{ managed: false, mentionable: false, flags: 0 },
});

/** One guild, whose roles, members and overwrites are replaced: to make one takes a millisecond. */
const theirs = make<Guild>(Guild, client, {
  ...{ id: GUILD, name: 'guild', owner_id: OWNER, features: [], emojis: [], stickers: [] },
  roles: [role(GUILD, 0), ...ROLES.map((id, n) => role(id, n + 1))],
  channels: [{ id: CHANNEL, type: 0, guild_id: GUILD, name: 'room', permission_overwrites: [] }],
});
const channel = theirs.channels.cache.get(CHANNEL) as TextChannel;
const user = (id: string) => ({ id, username: 'someone', discriminator: '0', avatar: null });

it('gives the same permissions as discord.js in random guilds, before what a missing right takes along', () => {
  const { viewChannel, sendMessages } = Permission;
  const goesAlong =
    Permission.attachFiles | Permission.embedLinks | Permission.mentionEveryone | Permission.sendTtsMessages;
  const known = ({ bitfield }: Readonly<PermissionsBitField>) => asEverything(bitfield);
  fc.assert(
    fc.property(aGuild, (one) => {
      const permissions = [one.everyone, ...one.given];
      for (const [n, id] of [GUILD, ...ROLES].entries())
        theirs.roles.cache.get(id)!.permissions = new PermissionsBitField(BigInt(permissions[n]!));
      channel.permissionOverwrites.cache.clear();
      for (const overwrite of one.overwrites)
        (channel.permissionOverwrites as unknown as { _add(data: object): void })._add(overwrite);
      const member = make<GuildMember>(
        GuildMember,
        client,
        { user: user(one.userId), roles: one.has, flags: 0 },
        theirs,
      );
      // It leaves timeouts to whoever asks.
      const ours = permissionsIn({ ...one, isTimedOut: false });
      expect(ours.inGuild).toBe(known(member.permissions));
      const found = known(channel.permissionsFor(member));
      const seen = (found & viewChannel) === 0n ? 0n : found;
      expect(ours.inChannel).toBe((seen & sendMessages) === 0n ? seen & ~goesAlong : seen);
    }),
    { numRuns: SEVERAL },
  );
});
