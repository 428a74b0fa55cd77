import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { directStream, memberStream, readStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { refusal, right } from './testing.ts';

let instance: Instance;
let ann: string;
let ben: string;
let eve: string;
let guild: { id: string; channel: string };
beforeEach(async () => {
  instance = await Instance.open();
  [ann, ben, eve] = [await instance.register('ann'), await instance.register('ben'), await instance.register('eve')];
  guild = await instance.guild(ann);
  await instance.join(ann, guild.channel, ben);
});
afterEach(() => instance.close());

describe('a direct channel', () => {
  it('is one channel when both people open it at once', async () => {
    const opened = await Promise.all([
      instance.do(ann, 'dm.create', { recipient_id: ben }),
      instance.do(ben, 'dm.create', { recipient_id: ann }),
      instance.do(ann, 'dm.create', { recipient_id: ben }),
    ]);
    expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
    expect(opened[1].recipients).toMatchObject([{ id: ann }]);
    expect(await instance.stream(directStream(ann, ben))).toHaveLength(1);
    right(await instance.send(ben, opened[0].id, 'hello'));
    expect(refusal(await instance.send(eve, opened[0].id, 'hello'))).toBe('unknownChannel');
    expect(refusal(await instance.ask(ann, 'invite.create', { channel_id: opened[0].id }))).toBe('dmExecute');
  });

  it('needs another person who exists', async () => {
    expect(refusal(await instance.ask(ann, 'dm.create', { recipient_id: ann }))).toBe('cannotMessageUser');
    expect(refusal(await instance.ask(ann, 'dm.create', { recipient_id: '404' }))).toBe('unknownUser');
  });
});

describe('acknowledging', () => {
  const say = async () => (right(await instance.send(ann, guild.channel, 'x')).result as { id: string }).id;
  const read = (userId: string, message_id: string) =>
    instance.ask(userId, 'channel.read', { channel_id: guild.channel, message_id });

  it('records one event for everything read in a turn, and none for going back', async () => {
    const ids = [await say(), await say(), await say()];
    await instance.settled();
    const answers = await Promise.all([ids[2]!, ids[0]!, ids[1]!].map((id) => read(ben, id)));
    for (const answer of answers) expect(right(answer).result).toEqual({ token: null });
    right(await read(ben, ids[0]!));
    expect((await instance.stream(readStream(ben))).map(({ data }) => data)).toEqual([
      { userId: ben, channels: { [guild.channel]: 3 }, back: {}, whole: false },
    ]);
  });

  it('of the newest message that is left marks through the deleted ones after it', async () => {
    const ids = [await say(), await say(), await say(), await say()];
    const state = async () => (await instance.views.unread.readStates(ben, [guild.channel]))[0];
    right(await read(ben, ids[1]!));
    for (const id of ids.slice(2))
      await instance.do(ann, 'message.delete', { channel_id: guild.channel, message_id: id });
    await instance.settled();
    expect(await state()).toMatchObject({ readOrdinal: 2, unread: 2 });
    right(await read(ben, ids[0]!));
    right(await read(ben, ids[1]!));
    await instance.settled();
    expect(await state()).toMatchObject({ readOrdinal: 4, unread: 0 });
  });

  it('tells nobody of a place before one’s own last message', async () => {
    const first = await say();
    right(await instance.send(ben, guild.channel, 'mine'));
    right(await read(ben, first));
    expect(await instance.stream(readStream(ben))).toEqual([]);
    const later = await say();
    right(await read(ben, later));
    expect((await instance.stream(readStream(ben))).map(({ data }) => data)).toMatchObject([
      { channels: { [guild.channel]: 3 } },
    ]);
  });

  it('marks everything as read for an id beyond the head', async () => {
    const id = await say();
    await instance.settled();
    right(await read(ben, (BigInt(id) + 5_000_000n).toString()));
    expect((await instance.stream(readStream(ben))).at(-1)?.data).toMatchObject({ channels: { [guild.channel]: 1 } });
  });

  it('is refused for an unknown message and for a channel the user cannot see', async () => {
    expect(refusal(await read(ben, '7'))).toBe('unknownMessage');
    expect(refusal(await read(eve, await say()))).toBe('unknownChannel');
  });
});

describe('typing', () => {
  it('reaches current listeners and is never stored', async () => {
    const head = await instance.log.head();
    await instance.do(ben, 'typing.start', { channel_id: guild.channel });
    expect(instance.typing).toMatchObject([{ channelId: guild.channel, guildId: guild.id, userId: ben }]);
    expect(await instance.log.head()).toBe(head);
    expect(refusal(await instance.ask(eve, 'typing.start', { channel_id: guild.channel }))).toBe('unknownChannel');
  });
});

describe('joining and leaving', () => {
  it('hides the channel from a user who left until they join again', async () => {
    await instance.do(ben, 'guild.leave', { guild_id: guild.id });
    expect(refusal(await instance.send(ben, guild.channel, 'x'))).toBe('unknownChannel');
    expect(refusal(await instance.ask(ben, 'guild.leave', { guild_id: guild.id }))).toBe('unknownGuild');
    await instance.join(ann, guild.channel, ben);
    right(await instance.send(ben, guild.channel, 'x'));
    const types = (await instance.stream(memberStream(guild.id, ben))).map(({ type }) => type);
    expect(types).toEqual(['member-joined', 'member-left', 'member-joined']);
  });

  it('is refused to the owner, to bots by invite, and with an unknown invite', async () => {
    const invite = async (body: object) =>
      (await instance.do(ann, 'invite.create', { channel_id: guild.channel, ...body })).code;
    expect(refusal(await instance.ask(ann, 'guild.leave', { guild_id: guild.id }))).toBe('ownerCannotLeave');
    const code = await invite({});
    expect(refusal(await instance.ask(eve, 'guild.join', { code }, { kind: 'bot' }))).toBe('botsCannot');
    expect(refusal(await instance.ask(eve, 'guild.join', { code: 'never' }))).toBe('unknownInvite');
    // A member who joins again is answered all the same.
    right(await instance.ask(ben, 'guild.join', { code }));
  });

  it('lets only those who manage the guild add bots', async () => {
    const bot = await instance.do(eve, 'application.create', { name: 'robot' });
    const adding = { guild_id: guild.id, application_id: bot.id };
    expect(refusal(await instance.ask(ben, 'bot.add', adding))).toBe('missingPermissions');
    expect(refusal(await instance.ask(eve, 'bot.add', adding))).toBe('unknownGuild');
    expect(refusal(await instance.ask(ann, 'bot.add', { ...adding, application_id: ben }))).toBe('unknownApplication');
    await instance.do(ann, 'bot.add', adding);
    right(await instance.send(bot.id, guild.channel, 'beep', { kind: 'bot' }));
  });
});
