import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Views } from '../projections/port.ts';
import type { GuildReader } from '../projections/views/guild-views/view.ts';
import { StoreUnavailable } from '../schemas/errors.ts';
import type { Soon } from '../schemas/soon.ts';
import { Instance } from '../test/support/write-side.ts';
import { refusal, right } from './testing.ts';

let instance: Instance;
let people: string[];
let channel: string;
let guild: string;
/** Once set, the guild views know only these ids, and a wait for them ends at once. */
let known: ReadonlySet<string> | undefined;
/** Somebody whom the guild views still know as a member of each guild. */
let stillIn: string | undefined;
/** `soon`: the views go when a command that is already stored begins to wait for them. */
let gone: 'no' | 'soon' | 'yes' = 'no';

const lateViews = (views: Views): Views => {
  const knowing = <R>(read: (id: string) => Soon<R>, none: R) => {
    return async (id: string): Promise<R> => {
      if (gone === 'yes') throw new StoreUnavailable('guild-views', 5);
      return known === undefined || known.has(id) ? read(id) : none;
    };
  };
  const { guilds } = views;
  const late: Partial<GuildReader> = {
    guild: knowing((id) => guilds.guild(id), undefined),
    channel: knowing((id) => guilds.channel(id), undefined),
    channelsOf: knowing((id) => guilds.channelsOf(id), []),
    invite: knowing((code) => guilds.invite(code), undefined),
    member: async (guildId, userId) =>
      (await guilds.member(guildId, userId)) ?? (userId === stillIn ? guilds.member(guildId, people[0]!) : undefined),
  };
  return Object.assign(Object.create(views) as Views, {
    guilds: Object.assign(Object.create(guilds) as GuildReader, late),
    progress: (name: Parameters<Views['progress']>[0]) => ({
      checkpoint: () => views.progress(name).checkpoint(),
      whenProcessed: async (position: number, timeoutMs: number) => {
        if (gone === 'soon') gone = 'yes';
        return known === undefined && views.progress(name).whenProcessed(position, timeoutMs);
      },
    }),
  });
};

beforeEach(async () => {
  known = undefined;
  stillIn = undefined;
  gone = 'no';
  instance = await Instance.open({ viewsFor: lateViews });
  people = await Promise.all(Array.from({ length: 7 }, (_, i) => instance.register(`person-${i}`)));
  ({ id: guild, channel } = await instance.guild(people[0]!));
  await instance.join(people[0]!, channel, ...people.slice(1, 3));
});
afterEach(() => instance.close());

describe('a command that is stored while the views are late', () => {
  it('is answered with what was decided', async () => {
    const message = right(await instance.send(people[1]!, channel, 'first')).result as { id: string };
    const code = (await instance.do(people[0]!, 'invite.create', { channel_id: channel })).code as string;
    await instance.settled();
    known = new Set([guild, channel, ...people]);
    const on = { channel_id: channel, message_id: message.id };
    expect(await instance.do(people[1]!, 'message.edit', { ...on, content: 'second' })).toMatchObject({
      id: message.id,
      content: 'second',
    });
    expect(await instance.do(people[0]!, 'channel.create', { guild_id: guild, name: 'new' })).toMatchObject({
      name: 'new',
      type: 0,
      guild_id: guild,
      position: 1,
    });
    expect(await instance.do(people[2]!, 'guild.create', { name: 'Another' })).toMatchObject({
      name: 'Another',
      owner_id: people[2],
      channels: [{ name: 'general' }],
    });
    expect(await instance.do(people[3]!, 'dm.create', { recipient_id: people[4]! })).toMatchObject({
      type: 1,
      recipients: [{ id: people[4] }],
    });
    expect(await instance.do(people[4]!, 'application.create', { name: 'robot' })).toMatchObject({
      name: 'robot',
      bot: { username: 'robot', bot: true },
    });
    expect(await instance.do(people[5]!, 'guild.join', { code })).toMatchObject({ code });
    await instance.do(people[2]!, 'guild.leave', { guild_id: guild });
    expect(await instance.register('late')).toMatch(/^\d+$/);
  });

  it('is answered as accepted when the views cannot be read', async () => {
    await instance.settled();
    gone = 'soon';
    const { answer, position } = right(await instance.ask(people[0]!, 'invite.create', { channel_id: channel }));
    expect(answer).toEqual({ kind: 'accepted' });
    const [, created] = await instance.events('invite-created');
    expect(position).toBe(created?.position);
  });
});

describe('somebody who is kicked and whom the views still know as a member', () => {
  it('comes in no more, neither into a guild that is not public nor by an invite while it is paused', async () => {
    const [owner, kicked] = people as [string, string];
    const code = (await instance.do(owner, 'invite.create', { channel_id: channel })).code as string;
    const capped = (await instance.do(owner, 'invite.create', { channel_id: channel, max_uses: 5 })).code as string;
    const open = () => instance.ask(kicked, 'guild.join-public', { guild_id: guild });
    // A member is in already.
    for (const joined of [await open(), await instance.ask(kicked, 'guild.join', { code })]) right(joined);
    await instance.do(owner, 'member.kick', { guild_id: guild, user_id: kicked });
    await instance.settled();
    stillIn = kicked;
    expect(refusal(await open())).toBe('unknownGuild');
    const until = new Date(Date.now() + 60_000).toISOString();
    await instance.do(owner, 'guild.pause', { guild_id: guild, invites_disabled_until: until });
    for (const one of [code, capped])
      expect(refusal(await instance.ask(kicked, 'guild.join', { code: one }))).toBe('invitesPaused');
    expect((await instance.events('member-joined')).filter(({ data }) => data.userId === kicked)).toHaveLength(1);
  });
});
