import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelStream } from '../schemas/streams.ts';
import { Instance, refusal, right } from './testing.ts';

let instance: Instance;
let ann: string;
let channel: string;
beforeEach(async () => {
  instance = await Instance.open();
  ann = await instance.register('ann');
  channel = (await instance.guild(ann)).channel;
});
afterEach(() => instance.close());

const posted = async () =>
  (await instance.stream(channelStream(channel))).filter(({ type }) => type === 'message-posted');
// biome-ignore lint/suspicious/noExplicitAny: a message is read field by field
const shown = (answer: Awaited<ReturnType<Instance['send']>>) => right(answer).result as any;

describe('a repeated key', () => {
  it('posts one message for a hundred requests at once and answers them all with it', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => instance.send(ann, channel, 'hello', { key: 'once' })),
    );
    const [event, ...more] = await posted();
    expect(more).toEqual([]);
    expect(new Set(answers.map((answer) => shown(answer).id)).size).toBe(1);
    for (const answer of answers) {
      expect(right(answer).sequence).toBe(event!.sequence);
      expect(right(answer).position).toBeGreaterThanOrEqual(event!.position);
      expect(shown(answer).content).toBe('hello');
    }
  });

  it('is refused over a socket if the content differs, and answered with the first message over HTTP', async () => {
    const first = shown(await instance.send(ann, channel, 'hello', { key: 'once' }));
    expect(refusal(await instance.send(ann, channel, 'other', { key: 'once' }))).toBe('keyReused');
    const overHttp = shown(await instance.send(ann, channel, 'other', { key: 'once', onOtherContent: 'first' }));
    expect(overHttp).toMatchObject({ id: first.id, content: 'hello' });
    expect(await posted()).toHaveLength(1);
  });

  it('is refused with other content at the same time too: the first one counts', async () => {
    const [first, second] = await Promise.all([
      instance.send(ann, channel, 'hello', { key: 'once' }),
      instance.send(ann, channel, 'other', { key: 'once' }),
    ]);
    expect(shown(first).content).toBe('hello');
    expect(refusal(second)).toBe('keyReused');
  });

  it('finds the first message after a reopen and after a rebuild of the views', async () => {
    const { id } = shown(await instance.send(ann, channel, 'hello', { key: 'once' }));
    for (const forgetViews of [false, true]) {
      await instance.reopen({ forgetViews });
      expect(shown(await instance.send(ann, channel, 'hello', { key: 'once' })).id).toBe(id);
      expect(refusal(await instance.send(ann, channel, 'other', { key: 'once' }))).toBe('keyReused');
    }
    expect(await posted()).toHaveLength(1);
  });

  it('posts another message for another author or in another channel', async () => {
    const ben = await instance.register('ben');
    await instance.join(ann, channel, ben);
    const guildId = (await instance.views.guilds.channel(channel))!.guildId!;
    const other = (await instance.do(ann, 'channel.create', { guild_id: guildId, name: 'other' })).id;
    const ids = [
      shown(await instance.send(ann, channel, 'hello', { key: 'once' })).id,
      shown(await instance.send(ben, channel, 'hello', { key: 'once' })).id,
      shown(await instance.send(ann, other, 'hello', { key: 'once' })).id,
    ];
    expect(new Set(ids).size).toBe(3);
  });

  it('is not inferred from other ids of the request when it is not given', async () => {
    for (const _ of [1, 2]) right(await instance.send(ann, channel, 'hello', { correlationId: 'of-a-whole-workflow' }));
    expect(await posted()).toHaveLength(2);
  });

  it('is refused over a socket for another kind of command', async () => {
    const [one, two] = [
      shown(await instance.send(ann, channel, 'one')),
      shown(await instance.send(ann, channel, 'two')),
    ];
    const on = (message: { id: string }) => ({ channel_id: channel, message_id: message.id });
    const again = (answer: unknown) => refusal(answer as never);
    right(await instance.ask(ann, 'reaction.add', { ...on(one), emoji: '👍' }, { key: 'k' }));
    right(await instance.ask(ann, 'reaction.add', { ...on(one), emoji: '👍' }, { key: 'k' }));
    expect(again(await instance.ask(ann, 'reaction.add', { ...on(one), emoji: '🎉' }, { key: 'k' }))).toBe('keyReused');
    expect(again(await instance.ask(ann, 'reaction.add', { ...on(two), emoji: '👍' }, { key: 'k' }))).toBe('keyReused');

    right(await instance.ask(ann, 'message.edit', { ...on(one), content: 'new' }, { key: 'k' }));
    expect(again(await instance.ask(ann, 'message.edit', { ...on(two), content: 'new' }, { key: 'k' }))).toBe(
      'keyReused',
    );

    right(await instance.ask(ann, 'message.delete', on(one), { key: 'k' }));
    right(await instance.ask(ann, 'message.delete', on(one), { key: 'k' }));
    expect(again(await instance.ask(ann, 'message.delete', on(two), { key: 'k' }))).toBe('keyReused');
    expect((await instance.stream(channelStream(channel))).at(-1)?.type).toBe('message-deleted');
  });

  it('treats a reply to another message as other content', async () => {
    const one = shown(await instance.send(ann, channel, 'one'));
    const reply = (message_reference?: { message_id: string }) =>
      instance.ask(ann, 'message.send', { channel_id: channel, content: 'yes', message_reference }, { key: 'k' });
    const first = shown(await reply({ message_id: one.id }));
    expect(shown(await reply({ message_id: one.id })).id).toBe(first.id);
    expect(refusal(await reply())).toBe('keyReused');
  });

  it('is answered with an empty message when the first one has been deleted', async () => {
    const first = shown(await instance.send(ann, channel, 'gone', { key: 'once' }));
    await instance.do(ann, 'message.delete', { channel_id: channel, message_id: first.id });
    const again = shown(await instance.send(ann, channel, 'gone', { key: 'once' }));
    expect(again).toMatchObject({ id: first.id, content: '' });
    expect(await posted()).toHaveLength(1);
  });
});
