import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { snowflakeTime } from '../domain/snowflake.ts';
import { channelStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { dense, refusal, right } from './testing.ts';

let instance: Instance;
let ann: string;
let ben: string;
let channel: string;
beforeEach(async () => {
  instance = await Instance.open();
  ann = await instance.register('ann');
  ben = await instance.register('ben');
  channel = (await instance.guild(ann)).channel;
  await instance.join(ann, channel, ben);
});
let release = () => {};
afterEach(async () => {
  release();
  await instance.close();
});

/** The views stand still until `release` is called. */
const hold = async (): Promise<void> => {
  await instance.settled();
  await new Promise<void>((held) => {
    void instance.views.atRest(() => {
      held();
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
  });
};

const say = async (userId: string, content: string): Promise<string> =>
  (right(await instance.send(userId, channel, content)).result as { id: string }).id;
const on = (message_id: string) => ({ channel_id: channel, message_id });
const types = async () => (await instance.stream(channelStream(channel))).map(({ type }) => type);

describe('an edit', () => {
  const edit = (id: string, change: object) => instance.do(ann, 'message.edit', { ...on(id), ...change });

  it('changes what it gives and leaves the rest', async () => {
    const embeds = [{ title: 'a' }];
    const { id } = await instance.do(ann, 'message.send', {
      channel_id: channel,
      content: `<@${ben}>`,
      embeds,
      flags: 4096,
    });
    const before = { content: `<@${ben}>`, embeds, flags: 4096, mentions: [{ id: ben }] };
    expect(await edit(id, { flags: 4 })).toMatchObject({ ...before, embeds: [], flags: 4100 });
    expect(await edit(id, { embeds: [{ title: 'b' }], flags: 4096 })).toMatchObject({
      ...before,
      embeds: [{ title: 'b' }],
    });
    expect(await edit(id, { flags: 0 })).toMatchObject({ flags: 4096 });
    expect(refusal(await instance.ask(ann, 'message.edit', { ...on(id), flags: 32 }))).toBe('invalidForm');
    expect(await edit(id, { content: 'c' })).toMatchObject({
      content: 'c',
      embeds: [{ title: 'b' }],
      mentions: [],
      flags: 4096,
    });
    expect(await edit(id, { content: null })).toMatchObject({ content: '', embeds: [{ title: 'b' }], flags: 4096 });
    expect(refusal(await instance.ask(ann, 'message.edit', { ...on(id), embeds: [] }))).toBe('emptyMessage');
    await instance.settled();
    const row = await instance.views.timelines.message(channel, id, ann);
    expect(row).toMatchObject({ flags: 4096, mentions: { users: [] } });
  });

  it('records nothing when it is repeated, and is answered with the message', async () => {
    const id = await say(ann, 'hello');
    const answers = await Promise.all(Array.from({ length: 5 }, () => edit(id, { content: 'new' })));
    for (const answer of answers) expect(answer).toMatchObject({ id, content: 'new' });
    expect(await types()).toEqual(['channel-created', 'message-posted', 'message-edited']);
  });

  it('of a reply goes on telling the author of the message replied to', async () => {
    const first = await say(ben, 'hello');
    const reply = (more: object) => ({ channel_id: channel, message_reference: { message_id: first }, ...more });
    const sent = instance.do(ann, 'message.send', reply({ content: 'yes' }));
    const { id } = await sent;
    expect(await edit(id, { content: 'no' })).toMatchObject({ content: 'no', mentions: [{ id: ben }] });
    await instance.settled();
    const [state] = await instance.views.unread.readStates(ben, [channel]);
    expect(state).toMatchObject({ mentions: 1 });
    expect(await edit(id, { content: 'well', allowed_mentions: { parse: [] } })).toMatchObject({ mentions: [] });
    const silent = { content: 'yes', allowed_mentions: { replied_user: false } };
    const quiet = await instance.do(ann, 'message.send', reply(silent));
    expect(await edit(quiet.id, { content: 'no' })).toMatchObject({ mentions: [] });
  });
});

describe('a reaction', () => {
  it('is the same with and without the selector that some clients drop', async () => {
    const id = await say(ann, 'hello');
    const [heart, bare] = ['❤️', '❤️'.replace('\uFE0F', '')];
    await instance.do(ben, 'reaction.add', { ...on(id), emoji: bare });
    await instance.do(ben, 'reaction.add', { ...on(id), emoji: heart });
    await instance.settled();
    const reactions = async () => (await instance.views.timelines.message(channel, id, ben))?.reactions;
    expect(await reactions()).toEqual([{ emoji: heart, count: 1, me: true }]);
    await instance.do(ben, 'reaction.remove', { ...on(id), emoji: bare });
    await instance.settled();
    expect(await reactions()).toEqual([]);
  });
});

describe('a message that its timeline does not hold yet', () => {
  it('can be reacted to, edited and deleted at once', async () => {
    await hold();
    const id = await say(ann, 'hello');
    expect((await instance.views.timelines.facts(channel, id)).facts).toBeUndefined();
    await instance.do(ben, 'reaction.add', { ...on(id), emoji: '👍' });
    // The second time the reaction is there, and is removed once.
    await instance.do(ben, 'reaction.add', { ...on(id), emoji: '👍' });
    await instance.do(ben, 'reaction.remove', { ...on(id), emoji: '👍' });
    await instance.do(ben, 'reaction.remove', { ...on(id), emoji: '👍' });
    const editing = instance.do(ann, 'message.edit', { ...on(id), content: 'edited' });
    const replying = instance.do(ben, 'message.send', {
      channel_id: channel,
      content: 'yes',
      message_reference: { message_id: id },
    });
    release();
    expect(await editing).toMatchObject({ id, content: 'edited' });
    expect(await replying).toMatchObject({ message_reference: { message_id: id }, mentions: [{ id: ann }] });
    await instance.do(ann, 'message.delete', on(id));
    expect(await types()).toEqual([
      'channel-created',
      'message-posted',
      'reaction-added',
      'reaction-removed',
      'message-edited',
      'message-posted',
      'message-deleted',
    ]);
  });

  it('is gone at once for everybody when it is deleted', async () => {
    await hold();
    const id = await say(ann, 'hello');
    await instance.do(ann, 'message.delete', on(id));
    const answers = [
      await instance.ask(ann, 'message.delete', on(id)),
      await instance.ask(ben, 'reaction.add', { ...on(id), emoji: '👍' }),
      await instance.ask(ann, 'message.edit', { ...on(id), content: 'x' }),
    ];
    expect(new Set(answers.map(refusal))).toEqual(new Set(['unknownMessage']));
    const message_reference = { message_id: id };
    const reply = { channel_id: channel, content: 'x', message_reference };
    expect(await instance.ask(ben, 'message.send', reply)).toMatchObject({
      left: { name: 'invalidForm', errors: { message_reference: { _errors: [{ code: 'REPLIES_UNKNOWN_MESSAGE' }] } } },
    });
    const optional = { ...reply, message_reference: { ...message_reference, fail_if_not_exists: false } };
    expect(refusal(await instance.ask(ben, 'message.send', optional))).toBeUndefined();
  });

  it('is replied to in its channel: a reference that names another channel or guild is refused', async () => {
    const { id: other, channel: elsewhere } = await instance.guild(ann);
    const message_id = await say(ann, 'hello');
    const guild_id = (await instance.views.guilds.channel(channel))!.guildId!;
    const reply = (more: object, type?: 0 | 1) =>
      instance.ask(ann, 'message.send', {
        ...{ channel_id: channel, message_reference: { message_id, ...(type === undefined ? {} : { type }), ...more } },
        ...(type === 1 ? {} : { content: 'yes' }),
      });
    for (const more of [{}, { channel_id: channel }, { channel_id: channel, guild_id }, { channel_id: null }])
      for (const type of [undefined, 0] as const) right(await reply(more, type));
    const refusedAs = (code: string) => ({ left: { errors: { message_reference: { _errors: [{ code }] } } } });
    for (const more of [{ channel_id: elsewhere }, { guild_id: other }, { channel_id: channel, guild_id: channel }])
      expect(await reply({ ...more, fail_if_not_exists: false })).toMatchObject(
        refusedAs('REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL'),
      );
    const from = { channel_id: channel };
    right(await reply({ ...from, guild_id }, 1));
    expect(await reply({ ...from, guild_id: other }, 1)).toMatchObject(refusedAs('REPLIES_UNKNOWN_MESSAGE'));
  });

  it('can be edited by its author only', async () => {
    await hold();
    const id = await say(ann, 'hello');
    expect(refusal(await instance.ask(ben, 'message.edit', { ...on(id), content: 'x' }))).toBe('cannotEditOthers');
    expect(refusal(await instance.ask(ben, 'message.delete', on(id)))).toBe('missingPermissions');
  });

  it('can be changed however far its timeline is behind', async () => {
    await hold();
    const id = await say(ann, 'hello');
    const many = Array.from({ length: 10_100 }, (_, i) => instance.send(ann, channel, `${i}`));
    await Promise.all(many);
    await instance.do(ann, 'message.delete', on(id));
    expect(refusal(await instance.ask(ann, 'message.delete', on(id)))).toBe('unknownMessage');
  });
});

describe('commands of many people at once', () => {
  it('leave dense and growing sequences, ordinals and ids in the channel', async () => {
    const commands = Array.from({ length: 150 }, (_, i) => instance.send(i % 2 ? ann : ben, channel, `${i}`));
    const answers = (await Promise.all(commands)).map(
      (answer) => right(answer).result as { content: string; ordinal: number },
    );
    const ordinals = answers.map(({ ordinal }) => ordinal);
    expect(ordinals.toSorted((a, b) => a - b)).toEqual(answers.map((_, i) => i + 1));
    // Nobody waits for a neighbour, so only the order of one person's commands is certain.
    for (const person of [0, 1]) {
      const own = ordinals.filter((_, i) => i % 2 === person);
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
    expect(answers.map(({ content }) => content)).toEqual(answers.map((_, i) => `${i}`));
    const events = await instance.stream(channelStream(channel));
    expect(dense(events.map(({ sequence }) => sequence))).toBe(true);
    const ids = (await instance.events('message-posted')).map(({ data }) => BigInt(data.messageId));
    for (const [i, id] of ids.entries()) if (i > 0) expect(id > ids[i - 1]!).toBe(true);
  });

  it('mention only existing users, and mention the author of the replied-to message unless asked not to', async () => {
    const mentions = async (body: object) =>
      (await instance.do(ann, 'message.send', { channel_id: channel, content: '', ...body })).mentions.map(
        ({ id }: { id: string }) => id,
      );
    expect(await mentions({ content: `<@${ben}> <@12345>` })).toEqual([ben]);
    const message_reference = { message_id: await say(ben, 'hello') };
    expect(await mentions({ content: 'yes', message_reference })).toEqual([ben]);
    expect(await mentions({ content: 'yes', message_reference, allowed_mentions: { parse: [] } })).toEqual([]);
    expect(await mentions({ content: 'yes', message_reference, allowed_mentions: { replied_user: true } })).toEqual([
      ben,
    ]);
  });

  it('are refused when embeds are too many or too large, or an emoji is not one', async () => {
    const embeds = (list: Record<string, unknown>[]) =>
      instance.ask(ann, 'message.send', { channel_id: channel, embeds: list });
    expect(refusal(await embeds(Array.from({ length: 11 }, () => ({}))))).toBe('invalidForm');
    expect(refusal(await embeds([{ description: 'x'.repeat(9000) }]))).toBe('invalidForm');
    expect(refusal(await embeds([{ description: 'x' }]))).toBeUndefined();
    const id = await say(ann, 'hello');
    expect(refusal(await instance.ask(ann, 'reaction.add', { ...on(id), emoji: 'thumbsup' }))).toBe('unknownEmoji');
  });
});

it('a clock that is 80 years ahead for a moment leaves no id there, of whatever kind', async () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 80 * 365 * 86_400_000);
  right(await instance.send(ann, channel, 'far ahead'));
  await instance.guild(ann);
  now.mockRestore();
  right(await instance.send(ann, channel, 'back again'));
  await instance.guild(ann);
  const late = Date.now() + 60_000;
  const ids = [
    ...(await instance.events('message-posted')).map(({ data }) => data.messageId),
    ...(await instance.events('guild-created')).flatMap(({ data }) => [data.guildId, data.firstChannel.id]),
  ];
  // Ids that follow from a key are anywhere within ten minutes.
  for (const id of ids) expect(snowflakeTime(id)).toBeLessThan(late + 600_000);
  for (const { time } of await instance.events('message-posted')) expect(time).toBeLessThan(late);
});
