/** An unmodified discord.js runs a guild with every method it has, and knows afterwards what a client knows that begins then. */

import {
  AuditLogEvent,
  type CategoryChannel,
  ChannelType,
  Client,
  DiscordAPIError,
  Events,
  GatewayIntentBits,
  type Guild,
  type GuildAuditLogsEntry,
  type NewsChannel,
  OverwriteType,
  PermissionFlagsBits,
  type Role,
  SystemChannelFlagsBitField,
  type TextChannel,
  type ThreadChannel,
} from 'discord.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Account, type Api, joined, someName } from '../support/api.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { LIMITS_OFF } from '../support/server.ts';

const INTENTS = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMembers,
  GatewayIntentBits.GuildModeration,
  GatewayIntentBits.GuildInvites,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.GuildMessageReactions,
  GatewayIntentBits.GuildMessageTyping,
  GatewayIntentBits.DirectMessages,
  GatewayIntentBits.MessageContent,
];

const PATIENCE = { interval: 100, timeout: 10_000 };

const byId = <T extends { readonly id: string }, R>(cache: { values(): Iterable<T> }, show: (one: T) => R) =>
  [...cache.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((one) => ({ id: one.id, ...show(one) }));

/** What a client knows of a guild without asking, except archived threads, which nobody is told of who begins. */
const known = (guild: Guild) => {
  const channels = guild.channels.cache.filter((channel) => !channel.isThread());
  const threads = guild.channels.cache.filter((channel) => channel.isThread() && channel.archived === false);
  return {
    guild: {
      ...{ name: guild.name, description: guild.description, owner: guild.ownerId, members: guild.memberCount },
      ...{ verification: guild.verificationLevel, notifications: guild.defaultMessageNotifications },
      ...{ system: guild.systemChannelId, flags: guild.systemChannelFlags.bitfield, features: guild.features },
      incidents: guild.incidentsData,
    },
    roles: byId(guild.roles.cache, (role) => ({
      ...{ name: role.name, permissions: role.permissions.bitfield, position: role.rawPosition, hoist: role.hoist },
      ...{ color: role.colors.primaryColor, mentionable: role.mentionable, managed: role.managed, tags: role.tags },
    })),
    members: byId(guild.members.cache, (member) => ({
      ...{ nick: member.nickname, roles: [...member.roles.cache.keys()].toSorted(), joined: member.joinedTimestamp },
      ...{ until: member.communicationDisabledUntilTimestamp, name: member.user.globalName, bot: member.user.bot },
    })),
    channels: byId(channels, (channel) => ({
      ...{ name: channel.name, type: channel.type, parent: channel.parentId },
      position: 'rawPosition' in channel ? channel.rawPosition : undefined,
      ...(channel.type === ChannelType.GuildText || channel.type === ChannelType.GuildAnnouncement
        ? {
            ...{ topic: channel.topic, nsfw: channel.nsfw, slow: channel.rateLimitPerUser },
            ...{ last: channel.lastMessageId, pinned: channel.lastPinTimestamp },
          }
        : {}),
      overwrites: byId((channel as TextChannel).permissionOverwrites.cache, ({ type, allow, deny }) => ({
        ...{ type, allow: allow.bitfield, deny: deny.bitfield },
      })),
    })),
    threads: byId(threads as typeof threads & ReadonlyMap<string, ThreadChannel>, (thread) => ({
      ...{ name: thread.name, type: thread.type, parent: thread.parentId, owner: thread.ownerId },
      ...{ locked: thread.locked, invitable: thread.invitable, archives: thread.autoArchiveDuration },
      ...{ members: thread.memberCount, messages: thread.messageCount, last: thread.lastMessageId },
      isIn: thread.members.cache.has(guild.client.user.id),
    })),
  };
};

export const discordGuildSuite = (start: StartInstance) =>
  describe('an unmodified discord.js that runs a guild', () => {
    let instance: Instance;
    let owner: Api;
    let people: readonly Account[];
    let token: string;
    let client: Client<true>;
    let guild: Guild;
    let general: TextChannel;
    /** What it was told of the audit log, in order. */
    const heard: GuildAuditLogsEntry[] = [];

    const connected = async (): Promise<Client<true>> => {
      const made = new Client({ intents: INTENTS, rest: { api: `${instance.url}/api`, version: '10' } });
      const ready = new Promise((resolve) => made.once(Events.ClientReady, resolve));
      await made.login(token);
      await ready;
      return made as Client<true>;
    };

    /** Somebody who is no bot comes in, and the client has seen it. */
    const member = async (n: number) => {
      await expect.poll(() => guild.members.cache.has(people[n]!.id)).toBe(true);
      return guild.members.cache.get(people[n]!.id)!;
    };

    beforeAll(async () => {
      instance = await start(LIMITS_OFF);
      owner = instance.api.as(await instance.api.register(someName('ada')));
      const made = await owner.createGuild('Engines');
      people = await joined(owner, made, 'person', 6);
      const bot = await owner.createBot('engineer', made.id);
      token = bot.token;
      const role = await owner.ask<{ id: string }>('POST', `/guilds/${made.id}/roles`, {
        ...{ name: 'administrators', permissions: String(PermissionFlagsBits.Administrator) },
      });
      await owner.ask('PATCH', `/guilds/${made.id}/roles`, [{ id: role.id, position: 10 }]);
      await owner.ask('PUT', `/guilds/${made.id}/members/${bot.id}/roles/${role.id}`);
      client = await connected();
      client.on(Events.GuildAuditLogEntryCreate, (entry) => heard.push(entry));
      guild = client.guilds.cache.get(made.id)!;
      general = guild.channels.cache.get(made.channel.id) as TextChannel;
      await guild.members.fetch();
    });

    afterAll(async () => {
      await client?.destroy();
      await instance?.close();
    });

    it('edits the guild, and pauses it', async () => {
      await guild.edit({ name: 'Analytical Engines', description: 'of brass', reason: 'it is time' });
      await guild.setDefaultMessageNotifications(1);
      await guild.setVerificationLevel(1);
      await guild.setSystemChannel(general);
      await guild.setSystemChannelFlags(SystemChannelFlagsBitField.Flags.SuppressJoinNotifications);
      const until = new Date(Date.now() + 3_600_000);
      await guild.setIncidentActions({ invitesDisabledUntil: until, dmsDisabledUntil: until });
      expect(guild.incidentsData?.invitesDisabledUntil).toEqual(until);
      await guild.setIncidentActions({ invitesDisabledUntil: null, dmsDisabledUntil: null });
      expect(await guild.fetch()).toMatchObject({ name: 'Analytical Engines', description: 'of brass' });
      expect((await guild.fetchOwner()).id).toBe(owner.account!.id);
      await expect(guild.setOwner(people[0]!.id)).rejects.toBeInstanceOf(DiscordAPIError);
      await expect(guild.delete()).rejects.toBeInstanceOf(DiscordAPIError);
      for (const none of [guild.emojis, guild.stickers]) expect((await none.fetch()).size).toBe(0);
      expect((await guild.fetchIntegrations()).size + (await guild.fetchWebhooks()).size).toBe(0);
    });

    it('creates, edits, moves and deletes channels, with their overwrites', async () => {
      const { channels } = guild;
      const category = (await channels.create({
        name: 'workshop',
        type: ChannelType.GuildCategory,
      })) as CategoryChannel;
      const secret = await channels.create({
        ...{ name: 'secret', topic: 'hush', parent: category, nsfw: true, rateLimitPerUser: 5 },
        permissionOverwrites: [{ id: guild.roles.everyone.id, deny: PermissionFlagsBits.ViewChannel }],
      });
      const news = (await channels.create({ name: 'news', type: ChannelType.GuildAnnouncement })) as NewsChannel;
      await news.setTopic('what is new');
      await general.edit({ name: 'hall', topic: 'of all', rateLimitPerUser: 10, nsfw: true });
      await general.setRateLimitPerUser(0);
      await general.setNSFW(false);
      await general.setTopic(null);
      await general.setName('great-hall');
      await general.setParent(category, { lockPermissions: false });
      await category.permissionOverwrites.edit(people[0]!.id, { SendMessages: false }, { type: OverwriteType.Member });
      // The client takes the category's from what it has heard.
      await expect.poll(() => category.permissionOverwrites.cache.has(people[0]!.id)).toBe(true);
      await general.lockPermissions();
      expect(general.permissionOverwrites.cache.has(people[0]!.id)).toBe(true);
      await general.permissionOverwrites.set([]);
      await secret.permissionOverwrites.create(people[1]!.id, { ViewChannel: true });
      await secret.permissionOverwrites.edit(people[1]!.id, { ViewChannel: null, AddReactions: false });
      await secret.permissionOverwrites.create(people[2]!.id, { ViewChannel: true });
      await secret.permissionOverwrites.delete(people[2]!.id);
      await general.setPosition(2);
      await channels.setPositions([
        { channel: secret, position: 3 },
        { channel: general, position: 1, parent: null },
      ]);
      const copy = await secret.clone({ name: 'copy' });
      await copy.delete('too many');
      await expect.poll(() => channels.cache.has(copy.id)).toBe(false);
      const doomed = await channels.create({ name: 'doomed', type: ChannelType.GuildCategory });
      const within = await channels.create({ name: 'within', parent: doomed.id });
      await doomed.delete();
      await expect.poll(() => within.parentId).toBe(null);
      expect((await channels.fetch()).size).toBe(5);
    });

    it('creates, edits, moves and deletes roles, and gives and takes them', async () => {
      const { roles } = guild;
      const roleOf = (name: string) =>
        roles.create({
          name,
          colors: { primaryColor: 'Gold' },
          hoist: true,
          mentionable: true,
          permissions: ['SendMessages'],
        });
      const [smith, clerk, doomed] = (await Promise.all(['smith', 'clerk', 'doomed'].map(roleOf))) as [
        Role,
        Role,
        Role,
      ];
      await smith.edit({ name: 'master', permissions: ['ManageMessages'], reason: 'earned' });
      await smith.setColors({ primaryColor: 0x123456 });
      await smith.setHoist(false);
      await smith.setMentionable(false);
      await smith.setPermissions(['KickMembers', 'BanMembers']);
      await smith.setPosition(2);
      await roles.setPositions([
        { role: clerk, position: 3 },
        { role: doomed, position: 1 },
      ]);
      await roles.everyone.setPermissions(roles.everyone.permissions.remove('MentionEveryone'));
      const first = await member(0);
      await first.roles.add([smith, clerk]);
      await first.roles.remove(clerk);
      await first.roles.set([clerk, doomed]);
      await guild.members.addRole({ user: people[1]!.id, role: smith.id });
      await guild.members.removeRole({ user: people[1]!.id, role: smith.id });
      await doomed.delete('no more');
      await expect.poll(() => first.roles.cache.has(doomed.id)).toBe(false);
      expect((await roles.fetch(clerk.id))?.name).toBe('clerk');
      await expect.poll(async () => (await roles.fetchMemberCounts()).get(clerk.id)).toBe(1);
    });

    it('renames, times out, kicks, bans and lets back in', async () => {
      const [first, second] = [await member(0), await member(1)];
      await first.setNickname('Ada', 'shorter');
      await second.setNickname('Ben');
      await second.setNickname(null);
      await guild.members.me!.setNickname('The Engineer');
      await guild.members.editMe({ nick: 'Engineer' });
      await first.timeout(60_000, 'too loud');
      await second.timeout(60_000);
      await second.timeout(null);
      expect(first.isCommunicationDisabled()).toBe(true);
      await expect.poll(async () => (await guild.members.search({ query: 'Ada', limit: 10 })).has(first.id)).toBe(true);
      expect((await guild.members.list({ limit: 100 })).size).toBe(8);
      expect((await guild.members.fetchMe()).nickname).toBe('Engineer');
      await (await member(2)).kick('out');
      await (await member(3)).ban({ deleteMessageSeconds: 60, reason: 'out for good' });
      const bulk = await guild.members.bulkBan([people[4]!.id, people[5]!.id, owner.account!.id]);
      expect([bulk.bannedUsers.toSorted(), bulk.failedUsers]).toEqual([
        [people[4]!.id, people[5]!.id].toSorted(),
        [owner.account!.id],
      ]);
      await expect.poll(async () => (await guild.bans.fetch()).size).toBe(3);
      expect((await guild.bans.fetch(people[3]!.id)).reason).toBe('out for good');
      await guild.members.unban(people[3]!.id, 'sorry');
      await guild.bans.remove(people[4]!.id);
      await expect(guild.bans.fetch({ user: people[4]!.id, force: true })).rejects.toMatchObject({ code: 10026 });
      await expect(guild.members.kick(people[2]!.id)).rejects.toMatchObject({ code: 10007 });
    });

    it('makes, looks up and deletes invites, and sees who comes in', async () => {
      const [open, doomed] = [
        await general.createInvite({ maxAge: 0, maxUses: 5 }),
        await guild.invites.create(general, { maxAge: 60, unique: true }),
      ];
      expect((await client.fetchInvite(open.code)).guild?.id).toBe(guild.id);
      expect([...(await general.fetchInvites()).keys()]).toContain(doomed.code);
      await doomed.delete('enough');
      await instance.api.as(people[2]!).join(open.code);
      await expect.poll(() => guild.members.cache.has(people[2]!.id)).toBe(true);
      await expect.poll(async () => (await guild.invites.fetch()).get(open.code)?.uses).toBe(1);
      expect((await guild.invites.fetch()).has(doomed.code)).toBe(false);
    });

    it('writes, pins, reacts and cleans up', async () => {
      const said = await general.send('one');
      const reply = await said.reply({ content: 'two', embeds: [{ title: 'an embed' }] });
      await reply.edit('two, edited');
      await reply.suppressEmbeds();
      await said.pin('worth it');
      await reply.pin();
      await reply.unpin('or not');
      expect((await general.messages.fetchPins()).items.map(({ message }) => message.id)).toEqual([said.id]);
      const [like, joy] = [await said.react('👍'), await said.react('🎉')];
      const ben = instance.api.as(people[1]!);
      for (const emoji of ['👍', '🎉'])
        await ben.ask('PUT', `/channels/${general.id}/messages/${said.id}/reactions/${encodeURIComponent(emoji)}/@me`);
      await expect.poll(async () => (await like.users.fetch()).size).toBe(2);
      await like.users.remove(people[1]!.id);
      await like.users.remove();
      await joy.remove();
      await said.react('🔥');
      await said.reactions.removeAll();
      await general.sendTyping();
      await said.crosspost().catch(() => {});
      const many = await Promise.all(['a', 'b', 'c'].map((content) => general.send(content)));
      expect((await general.bulkDelete(many)).size).toBe(3);
      await reply.delete();
      expect([...(await general.messages.fetch({ limit: 50, cache: false })).keys()]).toContain(said.id);
      const direct = await (await member(1)).send('between us');
      expect(direct.channel.type).toBe(ChannelType.DM);
    });

    it('begins, changes, archives and deletes threads, and is in them with others', async () => {
      const said = await general.send('worth a thread');
      const begun = await said.startThread({ name: 'begun', autoArchiveDuration: 60 });
      const secret = await general.threads.create({
        name: 'secret',
        type: ChannelType.PrivateThread,
        invitable: false,
      });
      const [archived, doomed] = [
        await general.threads.create({ name: 'archived', type: ChannelType.PublicThread }),
        await general.threads.create({ name: 'doomed', type: ChannelType.PublicThread }),
      ];
      await begun.setName('renamed');
      await begun.setAutoArchiveDuration(1440);
      await begun.setLocked(true);
      await begun.setLocked(false);
      await secret.setInvitable(true);
      await secret.members.add(people[1]!.id);
      await secret.members.add(people[2]!.id);
      await secret.members.remove(people[2]!.id);
      await expect.poll(async () => (await secret.members.fetch()).size).toBe(2);
      await begun.send('in it');
      await instance.api.as(people[2]!).send(begun.id, 'me too');
      await archived.leave();
      await archived.join();
      await archived.setArchived(true);
      await doomed.delete();
      await expect.poll(async () => (await general.threads.fetchArchived()).threads.has(archived.id)).toBe(true);
      await expect.poll(async () => (await guild.channels.fetchActiveThreads()).threads.size).toBe(2);
      expect((await begun.fetchStarterMessage())?.id).toBe(said.id);
      expect((await begun.fetchOwner())?.id).toBe(client.user.id);
    });

    it('knows at the end what a client knows that begins now', async () => {
      const fresh = await connected();
      const theirs = fresh.guilds.cache.get(guild.id)!;
      await theirs.members.fetch();
      // Either may hear a moment later of what follows in other streams.
      await vi.waitFor(() => expect(known(guild)).toEqual(known(theirs)), PATIENCE);
      expect(
        known(theirs)
          .threads.map(({ name }) => name)
          .toSorted(),
      ).toEqual(['renamed', 'secret']);
      await fresh.destroy();
    });

    it('finds in the audit log what it was told of, each act once, with who, whom and why', async () => {
      const shown = ({ id, action, executorId, targetId, reason, changes, extra }: GuildAuditLogsEntry) => {
        return { id, action, executorId, targetId, reason, changes, extra: extra === null ? null : { ...extra } };
      };
      const all = async () => {
        const entries: GuildAuditLogsEntry[] = [];
        for (let after = '0'; ; after = entries.at(-1)!.id) {
          const page = (await guild.fetchAuditLogs({ after, limit: 100 })).entries;
          entries.push(...page.values());
          if (page.size < 100) return entries;
        }
      };
      const since = heard[0]!.id;
      let entries: GuildAuditLogsEntry[] = [];
      await vi.waitFor(async () => {
        entries = (await all()).filter(({ id }) => BigInt(id) >= BigInt(since));
        const told = new Set(heard.map(({ id }) => id));
        expect(entries.filter(({ id }) => !told.has(id)).map(shown), 'entries that it was not told of').toEqual([]);
        expect(told.size).toBe(entries.length);
      }, PATIENCE);
      expect(new Set(heard.map(({ id }) => id)).size).toBe(heard.length);
      const heardAs = new Map(heard.map((entry) => [entry.id, shown(entry)]));
      for (const entry of entries)
        expect({ ...shown(entry), extra: null }).toEqual({ ...heardAs.get(entry.id)!, extra: null });
      const counts = new Map<number, number>();
      for (const { action } of entries) counts.set(action, (counts.get(action) ?? 0) + 1);
      for (const [action, count] of [
        ...[AuditLogEvent.ChannelDelete, AuditLogEvent.InviteCreate].map((one) => [one, 2] as const),
        ...[AuditLogEvent.MemberKick, AuditLogEvent.InviteDelete, AuditLogEvent.ThreadDelete].map(
          (one) => [one, 1] as const,
        ),
        ...[AuditLogEvent.MemberBanRemove, AuditLogEvent.MessagePin].map((one) => [one, 2] as const),
        ...[AuditLogEvent.MessageBulkDelete, AuditLogEvent.MessageUnpin, AuditLogEvent.RoleDelete].map(
          (one) => [one, 1] as const,
        ),
        ...[[AuditLogEvent.MemberBanAdd, 3] as const, [AuditLogEvent.RoleCreate, 3] as const],
      ])
        expect(counts.get(action), AuditLogEvent[action]).toBe(count);
      const newest = await guild.fetchAuditLogs({ type: AuditLogEvent.MemberBanAdd, user: client.user, limit: 3 });
      expect(newest.entries.map(({ reason }) => reason)).toEqual([null, null, 'out for good']);
      expect(newest.entries.first()!.executor).toBe(client.user);
      expect((await guild.fetchAuditLogs({ type: AuditLogEvent.ThreadUpdate })).entries.first()!.target).toMatchObject({
        name: 'archived',
      });
    });

    it('leaves', async () => {
      await guild.leave();
      await expect.poll(() => client.guilds.cache.size).toBe(0);
    });
  });
