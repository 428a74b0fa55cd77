import { afterEach, describe, expect, it } from 'vitest';
import { Instance } from '../test/support/write-side.ts';
import { refusal } from './testing.ts';

let instance: Instance;
afterEach(() => instance.close());

const ONCE = { count: 1, seconds: 60 };
const TWICE = { count: 2, seconds: 60 };

/** Ann's guild with two channels; Ben is a member. */
const aGuild = async (limits: object) => {
  instance = await Instance.open();
  const [ann, ben] = [await instance.register('ann'), await instance.register('ben')];
  const guild = await instance.guild(ann);
  await instance.join(ann, guild.channel, ben);
  const other = (await instance.do(ann, 'channel.create', { guild_id: guild.id, name: 'other' })).id;
  await instance.reopen({ limits });
  return { ann, ben, guild, other };
};

describe('the limit on sending', () => {
  it('counts each user in each channel separately', async () => {
    const { ann, ben, guild, other } = await aGuild({ send: TWICE });
    const answers = [
      await instance.send(ann, guild.channel, '1'),
      await instance.send(ann, guild.channel, '2'),
      await instance.send(ann, guild.channel, '3'),
      await instance.send(ann, other, '1'),
      await instance.send(ben, guild.channel, '1'),
    ];
    expect(answers.map(refusal)).toEqual([undefined, undefined, 'rateLimited', undefined, undefined]);
  });

  it('reports its state with every answer, and says in seconds when to retry', async () => {
    const { ann, guild } = await aGuild({ send: ONCE });
    const body = { channel_id: guild.channel, content: 'x' };
    const [first, second] = [
      await instance.submit(ann, 'message.send', body),
      await instance.submit(ann, 'message.send', body),
    ];
    expect(first.limit).toMatchObject({ bucket: 'send', limit: 1, remaining: 0, scope: 'user' });
    expect(second.limit).toMatchObject({ bucket: 'send', limit: 1, remaining: 0 });
    expect(second.outcome).toMatchObject({ left: { status: 429, global: false } });
    const { retryAfter } = (second.outcome as unknown as { left: { retryAfter: number } }).left;
    expect(retryAfter).toBeGreaterThan(50);
    expect(retryAfter).toBeLessThanOrEqual(60);
  });

  it('refuses before anything is stored, and covers pipelined commands', async () => {
    const { ann, guild } = await aGuild({ send: TWICE });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => instance.send(ann, guild.channel, `${i}`)));
    expect(answers.map(refusal).filter((name) => name === undefined)).toHaveLength(2);
    expect(await instance.events('message-posted')).toHaveLength(2);
  });

  it('is a separate one for bots', async () => {
    const { ann, guild } = await aGuild({ send: ONCE, botSend: TWICE });
    const answers = [];
    for (const text of ['1', '2', '3']) answers.push(await instance.send(ann, guild.channel, text, { kind: 'bot' }));
    expect(answers.map(refusal)).toEqual([undefined, undefined, 'rateLimited']);
  });
});

describe('the global limit', () => {
  it('counts commands of any kind, says that it is global, and is separate for each user', async () => {
    const { ann, ben, guild } = await aGuild({ global: TWICE });
    await instance.ask(ann, 'typing.start', { channel_id: guild.channel });
    await instance.send(ann, guild.channel, '1');
    const third = await instance.send(ann, guild.channel, '2');
    expect(third).toMatchObject({ left: { name: 'rateLimited', global: true, limit: { scope: 'global' } } });
    expect(refusal(await instance.send(ben, guild.channel, '1'))).toBeUndefined();
  });

  it('does not count a command again when its request was counted', async () => {
    const { ann, guild } = await aGuild({ global: ONCE });
    for (const text of ['1', '2', '3'])
      expect(refusal(await instance.send(ann, guild.channel, text, { counted: true }))).toBeUndefined();
  });
});

describe('the limits of other commands', () => {
  it('cover reactions, channels and direct channels separately', async () => {
    const { ann, ben, guild } = await aGuild({ reaction: ONCE, channelCreate: ONCE, dmCreate: ONCE });
    const on = { channel_id: guild.channel, message_id: '1', emoji: '👍' };
    expect(refusal(await instance.ask(ann, 'reaction.add', on))).toBe('unknownMessage');
    expect(refusal(await instance.ask(ann, 'reaction.remove', on))).toBe('rateLimited');
    for (const expected of [undefined, 'rateLimited']) {
      expect(refusal(await instance.ask(ann, 'channel.create', { guild_id: guild.id, name: 'x' }))).toBe(expected);
      expect(refusal(await instance.ask(ann, 'dm.create', { recipient_id: ben }))).toBe(expected);
    }
  });

  it('cover pinning and taking down together, for each person and channel', async () => {
    const { ann, ben, guild } = await aGuild({ pin: TWICE });
    const on = (channel: string) => ({ channel_id: channel, message_id: '1' });
    expect(refusal(await instance.ask(ann, 'message.pin', on(guild.channel)))).toBe('unknownMessage');
    expect(refusal(await instance.ask(ann, 'message.unpin', on(guild.channel)))).toBe('unknownMessage');
    const third = await instance.ask(ann, 'message.pin', on(guild.channel));
    expect(third).toMatchObject({ left: { name: 'rateLimited', limit: { bucket: 'pin', limit: 2 } } });
    expect(refusal(await instance.ask(ben, 'message.pin', on(guild.channel)))).not.toBe('rateLimited');
    const { id } = await instance.do(ann, 'channel.create', { guild_id: guild.id, name: 'other' });
    expect(refusal(await instance.ask(ann, 'message.pin', on(id)))).toBe('unknownMessage');
  });

  it('cover guilds, joining, invites and applications', async () => {
    const limits = { guildCreate: ONCE, guildJoin: ONCE, inviteCreate: ONCE, applicationCreate: ONCE };
    const { ann, guild } = await aGuild(limits);
    for (const expected of [undefined, 'rateLimited']) {
      expect(refusal(await instance.ask(ann, 'guild.create', { name: 'more' }))).toBe(expected);
      expect(refusal(await instance.ask(ann, 'invite.create', { channel_id: guild.channel }))).toBe(expected);
      expect(refusal(await instance.ask(ann, 'application.create', { name: 'bot' }))).toBe(expected);
      expect(refusal(await instance.ask(ann, 'guild.join', { code: 'none' }))).toBe(expected ?? 'unknownInvite');
    }
  });

  it('let everything through when they are off', async () => {
    const { ann, guild } = await aGuild({});
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        instance.submit(ann, 'message.send', { channel_id: guild.channel, content: `${i}` }),
      ),
    );
    expect(new Set(answers.map(({ outcome }) => refusal(outcome)))).toEqual(new Set([undefined]));
    expect(answers.every(({ limit }) => limit === undefined)).toBe(true);
  });
});

describe('the bounds', () => {
  it('on guilds cover those that a person creates and those joined; a bot has none', async () => {
    instance = await Instance.open({ bounds: { guilds: 2 } });
    const [ann, ben] = [await instance.register('ann'), await instance.register('ben')];
    const guild = await instance.guild(ann);
    const other = await instance.guild(ann);
    expect(refusal(await instance.ask(ann, 'guild.create', { name: 'third' }))).toBe('maximumGuilds');
    for (const _ of [1, 2]) await instance.guild(ben);
    const { code } = await instance.do(ann, 'invite.create', { channel_id: guild.channel });
    expect(refusal(await instance.ask(ben, 'guild.join', { code }))).toBe('maximumGuilds');
    // Who is in it already may join again.
    expect(refusal(await instance.ask(ann, 'guild.join', { code }))).toBeUndefined();
    await instance.reopen({ bounds: { guilds: 1 } });
    const bot = await instance.do(ann, 'application.create', { name: 'bot' });
    for (const { id } of [guild, other])
      expect(refusal(await instance.ask(ann, 'bot.add', { guild_id: id, application_id: bot.id }))).toBeUndefined();
  });

  it('on applications are separate for each person; a repeat is no further one', async () => {
    instance = await Instance.open({ bounds: { applications: 2 } });
    const [ann, ben] = [await instance.register('ann'), await instance.register('ben')];
    const create = (who: string, name: string) => instance.ask(who, 'application.create', { name }, { key: name });
    const anns = await Promise.all(['one', 'two', 'three'].map((name) => create(ann, name)));
    expect(anns.map(refusal)).toEqual([undefined, undefined, 'maximumApplications']);
    expect(refusal(await create(ann, 'two'))).toBeUndefined();
    expect(refusal(await create(ben, 'one'))).toBeUndefined();
    await instance.reopen({ bounds: { applications: 3 } });
    expect(refusal(await create(ann, 'three'))).toBeUndefined();
  });

  it('on invites are separate for each person and guild, and free when an invite is used up', async () => {
    instance = await Instance.open({ bounds: { invites: 2 } });
    const [ann, ben] = [await instance.register('ann'), await instance.register('ben')];
    const [guild, other] = [await instance.guild(ann), await instance.guild(ann)];
    const invite = (who: string, channel: string, more: object = {}) =>
      instance.ask(who, 'invite.create', { channel_id: channel, ...more }, { key: JSON.stringify(more) });
    const { code } = await instance.do(ann, 'invite.create', { channel_id: guild.channel, max_uses: 1 });
    const further = [{ max_age: 60 }, { max_age: 0 }].map((more) => invite(ann, guild.channel, more));
    expect((await Promise.all(further)).map(refusal)).toEqual([undefined, 'maximumInvites']);
    expect(refusal(await invite(ann, guild.channel, { max_age: 60 }))).toBeUndefined();
    expect(refusal(await invite(ann, other.channel))).toBeUndefined();
    await instance.do(ben, 'guild.join', { code });
    expect(refusal(await invite(ben, guild.channel))).toBeUndefined();
    expect(refusal(await invite(ann, guild.channel, { max_age: 0 }))).toBeUndefined();
    expect(refusal(await invite(ann, guild.channel, { max_age: 5 }))).toBe('maximumInvites');
  });

  it('on commands in progress are separate for each person, and end with the answer', async () => {
    instance = await Instance.open({ bounds: { commands: 3 } });
    const [ann, ben] = [await instance.register('ann'), await instance.register('ben')];
    const guild = await instance.guild(ann);
    await instance.join(ann, guild.channel, ben);
    const some = (who: string, many: number) =>
      Promise.all(Array.from({ length: many }, (_, i) => instance.send(who, guild.channel, `${i}`)));
    const [anns, bens] = await Promise.all([some(ann, 5), some(ben, 3)]);
    expect(anns.map(refusal)).toEqual([...Array(3).fill(undefined), ...Array(2).fill('tooManyCommands')]);
    expect(bens.map(refusal)).toEqual(Array(3).fill(undefined));
    expect((await some(ann, 3)).map(refusal)).toEqual(Array(3).fill(undefined));
  });
});
