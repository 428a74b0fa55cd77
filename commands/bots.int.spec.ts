/** The role that a bot has from when it is added to a guild until it goes. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppendRequest, EventLog } from '../log/port.ts';
import type { Views } from '../projections/port.ts';
import type { GuildReader } from '../projections/views/guild-views/view.ts';
import { Instance } from '../test/support/write-side.ts';
import { refusal, right } from './testing.ts';

/** How far the clock is behind of the node that stores what happens to members, in milliseconds. */
let behind = 0;
const onTwoNodes = (log: EventLog): EventLog =>
  Object.create(log, {
    append: {
      value: (request: AppendRequest) => {
        const late = request.stream.startsWith('member-') ? behind : 0;
        return log.append({ ...request, events: request.events.map((one) => ({ ...one, time: one.time - late })) });
      },
    },
  }) as EventLog;

/** Bots of which the views know that they are in the guild, and those of which they do not, whatever the log says. */
const stillIn = new Set<string>();
const notYetIn = new Set<string>();
const lateViews = (views: Views): Views => {
  const { guilds } = views;
  const member: GuildReader['member'] = async (guildId, userId) => {
    if (notYetIn.has(userId)) return undefined;
    return (await guilds.member(guildId, userId)) ?? (stillIn.has(userId) ? guilds.member(guildId, ann) : undefined);
  };
  return Object.assign(Object.create(views) as Views, {
    guilds: Object.assign(Object.create(guilds) as GuildReader, { member }),
  });
};

let instance: Instance;
let ann: string;
let guild_id: string;
let channel: string;

beforeAll(async () => {
  instance = await Instance.open({ logFor: onTwoNodes, viewsFor: lateViews });
  ann = await instance.register('ann');
  ({ id: guild_id, channel } = await instance.guild(ann));
});
afterAll(() => instance.close());

const aBot = async (name = 'robot'): Promise<string> => (await instance.do(ann, 'application.create', { name })).id;
const add = (application_id: string, more: { permissions?: string } = {}, by = ann) =>
  instance.ask(by, 'bot.add', { guild_id, application_id, ...more });
const rolesOf = async (botId: string) => {
  await instance.settled();
  const { roles } = (await instance.views.guilds.guild(guild_id))!;
  return roles.filter((role) => role.botId === botId);
};
const member = (userId: string) => instance.views.guilds.member(guild_id, userId);

describe('a bot that is added to a guild', () => {
  it('is in it with a role of its name and the permissions that were asked for', async () => {
    const bot = await aBot();
    right(await add(bot, { permissions: '1024' }));
    const [role, ...more] = await rolesOf(bot);
    expect(more).toEqual([]);
    expect(role).toMatchObject({ name: 'robot', permissions: '1024', position: 1 });
    expect((await member(bot))?.roles).toEqual([role!.id]);
    right(await add(bot, { permissions: '1024' }));
    expect(await rolesOf(bot)).toEqual([role]);
  });

  it('keeps that role: nobody gives, takes or deletes it, and its colour and permissions change', async () => {
    const bot = await aBot();
    const other = await aBot('other');
    for (const one of [bot, other]) right(await add(one));
    const role_id = (await rolesOf(bot))[0]!.id;
    const asked = [
      await instance.ask(ann, 'member.role.add', { guild_id, user_id: ann, role_id }),
      await instance.ask(ann, 'member.role.remove', { guild_id, user_id: bot, role_id }),
      await instance.ask(ann, 'member.edit', { guild_id, user_id: other, roles: [role_id] }),
      await instance.ask(ann, 'member.edit', { guild_id, user_id: bot, roles: [] }),
      await instance.ask(ann, 'role.delete', { guild_id, role_id }),
    ];
    expect(asked.map(refusal)).toEqual(asked.map(() => 'invalidRole'));
    right(await instance.ask(ann, 'role.edit', { guild_id, role_id, color: 7, permissions: '8' }));
    expect(await rolesOf(bot)).toMatchObject([{ id: role_id, color: 7, permissions: '8', botId: bot }]);
    const { id: plain } = await instance.do(ann, 'role.create', { guild_id });
    right(await instance.ask(ann, 'member.edit', { guild_id, user_id: bot, roles: [role_id, plain] }));
    expect((await member(bot))?.roles).toEqual([role_id, plain]);
  });

  it('loses the role when it goes, and has another when it comes back at once', async () => {
    const bot = await aBot();
    right(await add(bot));
    const [former] = await rolesOf(bot);
    right(await instance.ask(ann, 'member.kick', { guild_id, user_id: bot }));
    right(await add(bot));
    const [role, ...more] = await rolesOf(bot);
    expect(more).toEqual([]);
    expect(role!.id).not.toBe(former!.id);
    expect((await member(bot))?.roles).toEqual([role!.id]);
    right(await instance.ask(ann, 'member.kick', { guild_id, user_id: bot }));
    expect(await rolesOf(bot)).toEqual([]);
  });

  it('loses the role when it goes, and has another when it comes back, whatever the clocks of the nodes say', async () => {
    for (const difference of [3_600_000, -3_600_000]) {
      const bot = await aBot();
      right(await add(bot));
      const [former] = await rolesOf(bot);
      behind = difference;
      right(await instance.ask(ann, 'member.kick', { guild_id, user_id: bot }));
      right(await add(bot));
      const [role, ...more] = await rolesOf(bot);
      expect(more).toEqual([]);
      expect(role!.id).not.toBe(former!.id);
      right(await instance.ask(ann, 'member.kick', { guild_id, user_id: bot }));
      expect(await rolesOf(bot)).toEqual([]);
      behind = 0;
    }
  });

  it('is in or not as the log says, whatever the views know yet', async () => {
    const bot = await aBot();
    right(await add(bot));
    const [former] = await rolesOf(bot);
    notYetIn.add(bot);
    right(await add(bot));
    expect(refusal(await instance.ask(ann, 'role.delete', { guild_id, role_id: former!.id }))).toBe('invalidRole');
    expect(await rolesOf(bot)).toEqual([former]);
    notYetIn.clear();
    right(await instance.ask(ann, 'member.kick', { guild_id, user_id: bot }));
    stillIn.add(bot);
    right(await add(bot));
    const [role, ...more] = await rolesOf(bot);
    expect(more).toEqual([]);
    stillIn.clear();
    expect((await member(bot))?.roles).toEqual([role!.id]);
  });

  it('is let in by whoever manages the guild, with no more than they have, unless it is banned', async () => {
    const ben = await instance.register('ben');
    await instance.join(ann, channel, ben);
    const bot = await aBot();
    expect(refusal(await add(bot, {}, ben))).toBe('missingPermissions');
    expect(refusal(await add(ben, {}, ben))).toBe('missingPermissions');
    const { id: role_id } = await instance.do(ann, 'role.create', { guild_id, permissions: '32' });
    await instance.do(ann, 'member.role.add', { guild_id, user_id: ben, role_id });
    await instance.settled();
    expect(refusal(await add(bot, { permissions: '8' }, ben))).toBe('missingPermissions');
    expect(refusal(await add(ben, {}, ben))).toBe('unknownApplication');
    right(await instance.ask(ann, 'member.ban', { guild_id, user_id: bot }));
    expect(refusal(await add(bot, {}, ben))).toBe('userBanned');
    expect(await rolesOf(bot)).toEqual([]);
    right(await instance.ask(ann, 'member.unban', { guild_id, user_id: bot }));
    right(await add(bot, { permissions: '32' }, ben));
    expect(await rolesOf(bot)).toHaveLength(1);
  });
});
