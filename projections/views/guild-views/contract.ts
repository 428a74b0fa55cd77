/** What every store of the guild views must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RelationshipType } from '../../../domain/relationship.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { NO_BOND } from '../../../schemas/events/relationship.ts';
import { PLAIN_NOTIFICATIONS } from '../../../schemas/events/settings.ts';
import { Story } from '../../testing.ts';
import { cameAt, type GuildReader, NEW_MEMBER, rowOfGuild } from './view.ts';

export interface OpenGuildViews {
  readonly reader: GuildReader;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

const GUILD = '20';
const ANN = '100';
const BOB = '11';

export const guildViewsContract = (name: string, open: () => Promise<OpenGuildViews>) =>
  describe(`guild views on ${name}`, () => {
    let views: OpenGuildViews;
    let guilds: GuildReader;
    let story: Story;
    let applied: number;

    beforeEach(async () => {
      views = await open();
      guilds = views.reader;
      story = new Story();
      applied = 0;
    });
    afterEach(() => views.close());

    const project = async () => {
      await views.apply(story.since(applied));
      applied = await story.log.head();
    };

    it('counts the members of a guild as they join and leave', async () => {
      story.guild(GUILD, ANN);
      await project();
      const begun = rowOfGuild({ id: GUILD, name: 'guild 20', ownerId: ANN, everyone: '3072' });
      expect(await guilds.guild(GUILD)).toEqual(begun);
      story.join(GUILD, ANN);
      story.join(GUILD, BOB);
      await project();
      expect((await guilds.guild(GUILD))?.memberCount).toBe(2);
      story.leave(GUILD, BOB);
      await project();
      expect((await guilds.guild(GUILD))?.memberCount).toBe(1);
    });

    it('lists the channels of a guild in order of creation', async () => {
      story.guild(GUILD, ANN);
      story.channel('35', GUILD);
      await project();
      expect((await guilds.channelsOf(GUILD)).map(({ id }) => id)).toEqual(['35']);
      const second = story.channel('31', GUILD);
      story.channel('33', '21');
      await project();
      expect((await guilds.channelsOf(GUILD)).map(({ id, order }) => [id, order])).toEqual([
        ['35', 0],
        ['31', 1],
      ]);
      expect(await guilds.channel('31')).toEqual({
        id: '31',
        kind: 'text',
        guildId: GUILD,
        name: 'channel-31',
        topic: null,
        nsfw: false,
        parentId: null,
        slowmode: 0,
        overwrites: [{ id: GUILD, type: 0, allow: '0', deny: '2048' }],
        participants: [],
        order: 1,
        createdAt: second.position,
      });
    });

    it('finds the direct channels of two people, and nobody else’s', async () => {
      story.direct('40', ANN, BOB);
      story.direct('41', BOB, '12');
      await project();
      const ids = async (userId: string) => (await guilds.directChannelsOf(userId)).map(({ id }) => id);
      expect(await ids(ANN)).toEqual(['40']);
      expect(await ids(BOB)).toEqual(['40', '41']);
      expect(await ids('13')).toEqual([]);
      expect(await guilds.channel('40')).toMatchObject({ kind: 'dm', guildId: null, participants: [ANN, BOB] });
    });

    it('knows who is in a group, since when, who owns it and what it is called', async () => {
      const { position: createdAt } = story.group('42', ANN, BOB);
      const { position: came } = story.enter('42', '12', ANN, BOB, '12');
      story.editGroup('42', 'Us', ANN, ANN, BOB, '12');
      await project();
      const ids = async (userId: string) => (await guilds.directChannelsOf(userId)).map(({ id }) => id);
      for (const userId of [ANN, BOB, '12']) expect(await ids(userId)).toEqual(['42']);
      const group = { kind: 'group', guildId: null, name: 'Us', ownerId: ANN, createdAt };
      expect(await guilds.channel('42')).toMatchObject({ ...group, participants: [ANN, BOB, '12'] });
      story.exit('42', ANN, BOB, '12');
      story.editGroup('42', null, BOB, BOB, '12');
      story.exit('42', '12', BOB);
      const { position: again } = story.enter('42', '12', BOB, '12');
      await project();
      expect(await ids(ANN)).toEqual([]);
      const [row] = await guilds.directChannelsOf('12');
      expect(row).toMatchObject({ ...group, name: null, ownerId: BOB, participants: [BOB, '12'] });
      expect([cameAt(row!, BOB), cameAt(row!, '12')]).toEqual([createdAt, again]);
      expect(again).toBeGreaterThan(came);
    });

    it('knows a member while the membership lasts', async () => {
      story.guild(GUILD, ANN);
      expect(await guilds.member(GUILD, BOB)).toBeUndefined();
      const joined = story.join(GUILD, BOB);
      await project();
      expect(await guilds.member(GUILD, BOB)).toEqual({
        guildId: GUILD,
        userId: BOB,
        joinedTime: joined.time,
        joinedAt: joined.position,
        ...NEW_MEMBER,
      });
      story.leave(GUILD, BOB);
      await project();
      expect(await guilds.member(GUILD, BOB)).toBeUndefined();
      expect(await guilds.members(GUILD, { limit: 10 })).toEqual([]);
    });

    it('keeps the roles of a guild and of its members, a member’s until they leave', async () => {
      story.guild(GUILD, ANN);
      story.join(GUILD, ANN);
      const joined = story.join(GUILD, BOB);
      story.role(GUILD, '51', '8');
      story.role(GUILD, '50', '16');
      story.giveRoles(GUILD, BOB, ['51', '50']);
      await project();
      const roles = async () => (await guilds.guild(GUILD))?.roles.map(({ id, permissions }) => [id, permissions]);
      expect(await roles()).toEqual([
        ['51', '8'],
        ['50', '16'],
      ]);
      expect((await guilds.member(GUILD, BOB))?.roles).toEqual(['51', '50']);
      expect((await guilds.guildsOf(BOB))[0]?.roles).toHaveLength(2);
      const before = await story.log.head();
      story.editRole(GUILD, '51', '32', 2);
      story.editRole(GUILD, GUILD, '1024', 0);
      story.deleteRole(GUILD, '50');
      const taken = story.giveRoles(GUILD, BOB, []);
      await project();
      expect(await roles()).toEqual([['51', '32']]);
      expect((await guilds.guild(GUILD))?.everyone).toBe('1024');
      expect((await guilds.members(GUILD, { limit: 10 })).map((member) => member.roles)).toEqual([[], []]);
      const then = await guilds.past(GUILD, BOB, before);
      expect(then).toMatchObject({ guild: { everyone: '3072' }, member: { roles: ['51', '50'] }, channels: [] });
      expect(then?.guild.roles.map(({ id }) => id)).toEqual(['51', '50']);
      expect(await guilds.past(GUILD, BOB, joined.position - 1)).toBeUndefined();
      const since = await guilds.revisions(BOB, { guildIds: [GUILD, '21'], after: before, limit: 10 });
      expect(since.map(({ field }) => field)).toEqual(['role:51', `role:${GUILD}`, 'role:50', 'roles']);
      expect(since.at(-1)).toMatchObject({ guildId: GUILD, value: [], position: taken.position });
      expect(await guilds.revisions(ANN, { guildIds: [GUILD], after: before, limit: 10 })).toHaveLength(3);
      expect(await guilds.revisions(BOB, { guildIds: [GUILD], after: before, limit: 2 })).toHaveLength(2);
      story.giveRoles(GUILD, BOB, ['51']);
      story.leave(GUILD, BOB);
      story.join(GUILD, BOB);
      await project();
      expect((await guilds.member(GUILD, BOB))?.roles).toEqual([]);
    });

    it('knows of what a person is notified, guild by guild', async () => {
      const muted = { ...PLAIN_NOTIFICATIONS, muted: true };
      story.notify(ANN, GUILD, muted);
      story.notify(ANN, null, { ...muted, mute: { endTime: 5, window: null } });
      await project();
      story.notify(ANN, GUILD, PLAIN_NOTIFICATIONS);
      await project();
      expect(await guilds.notifications(ANN)).toEqual([
        { guildId: null, notifications: { ...muted, mute: { endTime: 5, window: null } } },
        { guildId: GUILD, notifications: PLAIN_NOTIFICATIONS },
      ]);
      expect(await guilds.notifications(BOB)).toEqual([]);
    });

    it('knows how people stand to each other, each from their own side', async () => {
      const asked = { ...NO_BOND, requestedBy: ANN };
      story.relate(ANN, BOB, asked);
      await project();
      expect(await guilds.relationships(ANN)).toMatchObject([{ userId: BOB, type: RelationshipType.outgoingRequest }]);
      expect(await guilds.relationships(BOB)).toMatchObject([{ userId: ANN, type: RelationshipType.incomingRequest }]);
      expect(await guilds.relationsTo(ANN, [BOB, '404'])).toEqual(new Map([[BOB, RelationshipType.incomingRequest]]));
      expect(await guilds.relationsTo(BOB, [ANN])).toEqual(new Map([[ANN, RelationshipType.outgoingRequest]]));
      story.relate(BOB, ANN, { ...NO_BOND, blockedBy: [BOB] }, asked);
      await project();
      expect(await guilds.relationships(ANN)).toEqual([]);
      expect(await guilds.relationships(BOB)).toMatchObject([{ userId: ANN, type: RelationshipType.blocked }]);
      expect(await guilds.relationsTo(ANN, [BOB, '404'])).toEqual(new Map([[BOB, RelationshipType.blocked]]));
      expect(await guilds.relationsTo(BOB, [ANN])).toEqual(new Map());
      expect(await guilds.relationsTo(BOB, [])).toEqual(new Map());
    });

    it('shows guilds and channels as they were last edited, in the order of the places given', async () => {
      story.guild(GUILD, ANN);
      story.join(GUILD, ANN);
      for (const id of ['35', '31', '33']) story.channel(id, GUILD);
      await project();
      const before = await story.log.head();
      story.editGuild(GUILD, { name: 'renamed', description: 'all' });
      story.editChannel('33', GUILD, { name: 'first', topic: 'of all', nsfw: true, position: 0 });
      story.editChannel('35', GUILD, { name: 'last', topic: null, nsfw: false, position: 9 });
      await project();
      expect(await guilds.guild(GUILD)).toMatchObject({ name: 'renamed', description: 'all', everyone: '3072' });
      expect(await guilds.guildsOf(ANN)).toMatchObject([{ name: 'renamed' }]);
      const listed = (await guilds.channelsOf(GUILD)).map(({ id, name, order }) => [id, name, order]);
      expect(listed).toEqual([
        ['33', 'first', 0],
        ['31', 'channel-31', 1],
        ['35', 'last', 9],
      ]);
      const edited = { name: 'first', topic: 'of all', nsfw: true, order: 0 };
      expect(await guilds.channel('33')).toMatchObject(edited);
      story.editChannel('33', GUILD, { name: 'first', topic: null, nsfw: false, position: null });
      await project();
      expect(await guilds.channel('33')).toMatchObject({ topic: null, nsfw: false, order: 2 });
      const then = await guilds.past(GUILD, ANN, before);
      expect(then?.guild).toMatchObject({ name: 'guild 20', description: null });
      expect(then?.channels.map(({ id }) => id)).toEqual(['35', '31', '33']);
    });

    it('shows a channel as it was created, with its category, place and slow mode', async () => {
      story.guild(GUILD, ANN);
      story.log.add('channel-36', 'channel-created', {
        ...{ channelId: '36', kind: 'announcement', guildId: GUILD, name: 'news', topic: 't', participants: [] },
        ...{ nsfw: true, position: 7, parentId: '35', slowmode: 5, overwrites: [] },
      });
      await project();
      const made = {
        kind: 'announcement',
        name: 'news',
        topic: 't',
        nsfw: true,
        order: 7,
        parentId: '35',
        slowmode: 5,
      };
      expect(await guilds.channel('36')).toMatchObject(made);
      expect(await guilds.channelsOf(GUILD)).toMatchObject([made]);
    });

    it('knows who owns a guild now, and nothing of one that is deleted, in which all memberships end', async () => {
      for (const id of [GUILD, '21']) {
        story.guild(id, ANN);
        story.join(id, ANN);
        story.join(id, BOB);
      }
      const { position } = story.transferGuild(GUILD, BOB);
      await project();
      expect(await guilds.guild(GUILD)).toMatchObject({ ownerId: BOB });
      const gone = story.deleteGuild(GUILD).position;
      await project();
      expect(await guilds.guild(GUILD)).toBeUndefined();
      expect((await guilds.guildsOf(ANN)).map(({ id }) => id)).toEqual(['21']);
      expect(await guilds.memberships(ANN, gone)).toMatchObject([{ guildId: '21', leftAt: null }]);
      expect(await guilds.memberships(ANN, position)).toMatchObject([
        { guildId: GUILD, leftAt: gone },
        { guildId: '21' },
      ]);
      expect(await guilds.past(GUILD, ANN, position)).toMatchObject({ guild: { ownerId: BOB } });
      expect(await guilds.past(GUILD, ANN, gone)).toBeUndefined();
    });

    it('lists the guilds that are public now, the latest to be so first', async () => {
      for (const id of ['21', '22', '23', '24']) story.guild(id, ANN);
      for (const id of ['21', '22', '23']) story.editGuild(id, { name: '"isPublic":true', isPublic: true });
      story.editGuild('24', { name: '"isPublic":true', isPublic: false });
      story.editGuild('22', { name: 'b', isPublic: false });
      story.deleteGuild('23');
      story.editGuild('21', { name: 'a', isPublic: true });
      await project();
      expect(await guilds.publicGuilds(10)).toMatchObject([{ id: '21', name: 'a', isPublic: true }]);
    });

    it('lists the invites of a guild without those that are deleted', async () => {
      story.guild(GUILD, ANN);
      for (const code of ['b', 'a', 'c']) story.invite(code, GUILD, '201', ANN);
      story.invite('d', '21', '211', ANN);
      story.deleteInvite('c', GUILD, '201');
      await project();
      expect((await guilds.invitesOf(GUILD)).map(({ code }) => code)).toEqual(['a', 'b']);
      expect(await guilds.invite('c')).toBeUndefined();
      expect(await guilds.countOpenInvites(GUILD, ANN, 0)).toBe(2);
    });

    it('keeps a deleted channel in its place, and says that it is deleted', async () => {
      story.guild(GUILD, ANN);
      for (const id of ['35', '31']) story.channel(id, GUILD);
      await project();
      story.deleteChannel('35', GUILD);
      story.channel('33', GUILD);
      await project();
      expect((await guilds.channelsOf(GUILD)).map(({ id, order, isDeleted }) => [id, order, isDeleted])).toEqual([
        ['35', 0, true],
        ['31', 1, undefined],
        ['33', 2, undefined],
      ]);
      expect(await guilds.channel('35')).toMatchObject({ isDeleted: true });
    });

    it('keeps the overwrites of a channel as they are set and deleted', async () => {
      story.guild(GUILD, ANN);
      story.channel('35', GUILD);
      await project();
      const overwrites = async () => (await guilds.channelsOf(GUILD))[0]?.overwrites;
      const begun = { id: GUILD, type: 0 as const, allow: '0', deny: '2048' };
      expect(await overwrites()).toEqual([begun]);
      const own = { id: BOB, type: 1 as const, allow: '1024', deny: '0' };
      story.overwrite('35', GUILD, own);
      story.overwrite('35', GUILD, { ...begun, deny: '1024' });
      await project();
      expect(await overwrites()).toEqual([own, { ...begun, deny: '1024' }]);
      story.deleteOverwrite('35', GUILD, GUILD);
      await project();
      expect(await overwrites()).toEqual([own]);
      expect((await guilds.channel('35'))?.overwrites).toEqual([own]);
    });

    it('lists members in numeric order of id, page by page', async () => {
      story.guild(GUILD, ANN);
      for (const userId of ['100', '9', '11', '1000']) story.join(GUILD, userId);
      await project();
      const ids = async (query: { after?: string; limit: number }) =>
        (await guilds.members(GUILD, query)).map(({ userId }) => userId);
      expect(await ids({ limit: 3 })).toEqual(['9', '11', '100']);
      story.leave(GUILD, '100');
      await project();
      expect(await ids({ after: '100', limit: 3 })).toEqual(['1000']);
      expect(await ids({ after: '10', limit: 3 })).toEqual(['11', '1000']);
      expect(await ids({ after: '9999999999999999999', limit: 3 })).toEqual([]);
    });

    it('lists the guilds of a user in order of joining', async () => {
      story.guild(GUILD, ANN);
      story.guild('21', ANN);
      story.guild('22', ANN);
      for (const guildId of ['22', GUILD, '21']) story.join(guildId, BOB);
      story.leave(GUILD, BOB);
      await project();
      expect((await guilds.guildsOf(BOB)).map(({ id }) => id)).toEqual(['22', '21']);
    });

    it('keeps a membership with its end', async () => {
      story.guild(GUILD, ANN);
      const first = story.join(GUILD, BOB);
      const left = story.leave(GUILD, BOB);
      const again = story.join(GUILD, BOB);
      await project();
      const stays = [
        { guildId: GUILD, joinedAt: first.position, leftAt: left.position },
        { guildId: GUILD, joinedAt: again.position, leftAt: null },
      ];
      expect(await guilds.memberships(BOB, left.position - 1)).toEqual(stays);
      expect(await guilds.memberships(BOB, left.position)).toEqual([stays[1]]);
    });

    it('knows which tokens of a user no longer count, by the last event that says so', async () => {
      story.user(ANN);
      story.user(BOB);
      await project();
      expect((await guilds.user(ANN))?.signedOut).toEqual({ generation: 0, signIns: [] });
      story.signOut(ANN, 0, [{ id: 'a', until: 5 }]);
      await project();
      expect((await guilds.user(ANN))?.signedOut).toEqual({ generation: 0, signIns: [{ id: 'a', until: 5 }] });
      story.signOut(ANN, 1);
      story.signOut(ANN, 2);
      await project();
      expect((await guilds.user(ANN))?.signedOut).toEqual({ generation: 2, signIns: [] });
      expect((await guilds.users([BOB]))[0]?.signedOut).toEqual({ generation: 0, signIns: [] });
    });

    it('returns users with their sealed profile', async () => {
      const event = story.user(BOB, 'bot', ANN);
      story.user(ANN);
      await project();
      const bob = {
        id: BOB,
        kind: 'bot',
        ownerId: ANN,
        sealed: { by: BOB, box: `profile of ${BOB}` },
        sealedIn: event.id,
        signedOut: { generation: 0, signIns: [] },
        standing: { disabled: false, due: null, deleted: false },
      };
      expect(await guilds.user(BOB)).toEqual(bob);
      expect(await guilds.user('404')).toBeUndefined();
      const users = await guilds.users([ANN, '404', BOB, BOB]);
      expect(users.map(({ id }) => id).sort()).toEqual([ANN, BOB]);
    });

    it('makes the first registered person the administrator, in whatever order the events arrive', async () => {
      expect(await guilds.administrator()).toBeUndefined();
      story.user('5', 'imported');
      story.user('6', 'bot', '5');
      await project();
      expect(await guilds.administrator()).toBeUndefined();
      story.user(ANN);
      story.user('7');
      await project();
      expect(await guilds.administrator()).toBe(ANN);
    });

    it('shows the latest profile and standing of a user', async () => {
      story.user(ANN);
      story.user(BOB);
      story.profile(ANN, 'first', [GUILD]);
      const { id: sealedIn } = story.profile(ANN, 'second');
      story.standing(ANN, { disabled: true, due: null, deleted: false });
      await project();
      expect(await guilds.user(ANN)).toMatchObject({
        sealed: { by: ANN, box: 'second' },
        sealedIn,
        standing: { disabled: true, due: null, deleted: false },
      });
      expect((await guilds.users([BOB]))[0]?.standing).toEqual({ disabled: false, due: null, deleted: false });
      story.standing(ANN, { disabled: false, due: 5, deleted: false });
      await project();
      expect((await guilds.user(ANN))?.standing).toEqual({ disabled: false, due: 5, deleted: false });
      story.deleted(ANN);
      await project();
      expect((await guilds.user(ANN))?.standing).toEqual({ disabled: false, due: null, deleted: true });
    });

    it('lists the first person and those who were named since, without those who were removed', async () => {
      expect(await guilds.administrators()).toEqual([]);
      story.user(ANN);
      await project();
      expect(await guilds.administrators()).toEqual([ANN]);
      story.user(BOB);
      story.administrator(BOB, true);
      await project();
      expect(await guilds.administrators()).toEqual([ANN, BOB]);
      story.administrator(ANN, false);
      await project();
      expect(await guilds.administrators()).toEqual([BOB]);
      story.administrator(ANN, true);
      await project();
      expect([...(await guilds.administrators())].sort()).toEqual([ANN, BOB].sort());
    });

    it('counts a use of a capped invite on redemption, of any other when a member joins', async () => {
      const created = story.invite('capped', GUILD, '30', ANN, 5);
      story.invite('open', GUILD, '30', ANN);
      story.redeem('capped', GUILD, BOB);
      story.join(GUILD, BOB, 'capped');
      story.join(GUILD, '12', 'open');
      story.join(GUILD, '13', 'open');
      await project();
      expect(await guilds.invite('capped')).toEqual({
        code: 'capped',
        guildId: GUILD,
        channelId: '30',
        inviterId: ANN,
        maxUses: 5,
        uses: 1,
        createdTime: created.time,
        expiresAt: null,
      });
      expect((await guilds.invite('open'))?.uses).toBe(2);
      expect(await guilds.invite('404')).toBeUndefined();
    });

    it("counts a user's applications, and the invites to a guild that still admit somebody", async () => {
      for (const id of ['7', '8']) story.user(id, 'bot', ANN);
      story.user('9', 'bot', BOB);
      story.user(ANN);
      story.invite('open', GUILD, '30', ANN);
      story.invite('capped', GUILD, '30', ANN, 2);
      story.invite('used', GUILD, '30', ANN, 1);
      story.invite('ending', GUILD, '30', ANN, 0, 1000);
      story.invite('elsewhere', '21', '31', ANN);
      story.invite('of-another', GUILD, '30', BOB);
      story.invite('of-a-deleted-channel', GUILD, '32', ANN);
      story.deleteChannel('32', GUILD);
      story.redeem('capped', GUILD, BOB);
      story.redeem('used', GUILD, BOB);
      await project();
      const applications = [ANN, BOB, '404'].map((id) => guilds.countApplications(id));
      expect(await Promise.all(applications)).toEqual([2, 1, 0]);
      expect(await guilds.countOpenInvites(GUILD, ANN, 999)).toBe(3);
      expect(await guilds.countOpenInvites(GUILD, ANN, 1000)).toBe(2);
      expect(await guilds.countOpenInvites(GUILD, '404', 0)).toBe(0);
    });

    it('lists the active threads of all guilds in numeric order of id, page by page', async () => {
      const begun = ['900', '1000', '70', '80'].map((id, n) => story.thread(id, n === 2 ? '21' : GUILD, '30', ANN));
      await project();
      for (const n of [0, 3]) story.archiveThread(begun[n]!.data);
      story.archiveThread(begun[0]!.data, false);
      await project();
      const first = await guilds.activeThreads({ limit: 2 });
      expect(first.map(({ id }) => id)).toEqual(['70', '900']);
      const rest = await guilds.activeThreads({ after: '900', limit: 2 });
      expect(rest).toMatchObject([{ id: '1000', guildId: GUILD, thread: { details: { autoArchive: 60 } } }]);
    });

    it('lists the archived threads of a channel page by page, those of one time on one page', async () => {
      const begun = ['900', '1000', '70', '80', '90'].map((id) => story.thread(id, GUILD, '30', ANN));
      for (const [n, archiveTime] of [5, 7, 7, 7, 9].entries())
        story.archiveThread({ ...begun[n]!.data, details: { ...begun[n]!.data.details, archiveTime } });
      await project();
      const page = async (limit: number, before?: number) =>
        (
          await guilds.archivedThreads({
            ...{ parentId: '30', isPrivate: false, limit },
            ...(before === undefined ? {} : { before }),
          })
        ).map(({ id, time }) => `${id} at ${time}`);
      expect(await page(1)).toEqual(['90 at 9']);
      expect(await page(2)).toEqual(['90 at 9', '1000 at 7', '80 at 7', '70 at 7']);
      expect(await page(2, 9)).toEqual(['1000 at 7', '80 at 7', '70 at 7']);
      expect(await page(50, 7)).toEqual(['900 at 5']);
      expect(await page(50, 5)).toEqual([]);
    });

    it('ends the activity of a thread once, where one batch archives and deletes it', async () => {
      story.guild(GUILD, ANN);
      story.join(GUILD, ANN);
      const begun = ['900', '901', '902'].map((id) => story.thread(id, GUILD, '30', ANN));
      await project();
      const archived = begun.map(({ data }) => story.archiveThread(data)).at(-1)!;
      for (const { data } of begun) story.deleteThread(data);
      await project();
      expect((await guilds.past(GUILD, ANN, archived.position))?.threads).toEqual([]);
    });

    it('does not confuse an id with leading zeros with the one without', async () => {
      story.guild(GUILD, ANN);
      story.channel('35', GUILD);
      story.user(ANN);
      story.join(GUILD, ANN);
      await project();
      expect(await guilds.guild(`0${GUILD}`)).toBeUndefined();
      expect(await guilds.channel('035')).toBeUndefined();
      expect(await guilds.channelsOf(`0${GUILD}`)).toEqual([]);
      expect(await guilds.member(GUILD, `0${ANN}`)).toBeUndefined();
      expect(await guilds.user(`0${ANN}`)).toBeUndefined();
    });
  });
