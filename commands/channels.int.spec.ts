import { either } from 'fp-ts';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_CHANNELS } from '../domain/guild.ts';
import { PLAIN } from '../schemas/events/channel.ts';
import { channelStream, guildStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { refusal, right } from './testing.ts';

let instance: Instance;
afterEach(() => instance.close());

describe('creating channels', () => {
  it('ends at 500, also when 60 are created at once, and a repeat of one that exists is answered', async () => {
    instance = await Instance.open({ processes: false });
    const ann = await instance.register('ann');
    const { id: guild_id } = await instance.guild(ann);
    const room = 20;
    // Requests that no process has answered yet.
    const requested = Array.from({ length: MAX_CHANNELS - 1 - room }, (_, i) => ({
      type: 'channel-requested' as const,
      data: {
        ...{ channelId: `${i + 1}`, kind: 'text' as const, guildId: guild_id, name: 'x', topic: null, ...PLAIN },
        ...{ overwrites: [], participants: [] },
      },
    }));
    right(
      await instance.write.deps.mailboxes.run({
        stream: guildStream(guild_id),
        cause: { actor: ann, key: 'many', correlationId: 'c', causationId: null, traceparent: null },
        prepare: async () => either.right(undefined),
        decide: () => either.right(requested),
      }),
    );
    const create = (key: string) => instance.ask(ann, 'channel.create', { guild_id, name: 'more' }, { key });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => create(`key ${i}`)));
    const created = answers.filter(either.isRight);
    expect(created).toHaveLength(room);
    expect(new Set(answers.map(refusal))).toEqual(new Set([undefined, 'maximumGuildChannels']));
    const [first] = created.map(({ right: one }) => one);
    const { id } = first!.result as { id: string };
    expect(first).toMatchObject({ stream: channelStream(id), sequence: 1 });
    expect(await instance.views.guilds.channel(id)).toMatchObject({ name: 'more' });
    expect(right(await create('key 0')).result).toMatchObject({ id });
  });
});

describe('a key that was used', () => {
  it('for other overwrites of a channel is refused, and a repeat of the same is answered', async () => {
    instance = await Instance.open();
    const ann = await instance.register('ann');
    const { id, channel: channel_id } = await instance.guild(ann);
    const put = (allow: string, key = 'k') =>
      instance.ask(
        ann,
        'channel.edit',
        { channel_id, permission_overwrites: [{ id, type: 0, allow, deny: '0' }] },
        { key },
      );
    right(await put('1024'));
    right(await put('1024'));
    expect(refusal(await put('2048'))).toBe('keyReused');
    right(await instance.ask(ann, 'channel.edit', { channel_id, permission_overwrites: [] }, { key: 'none' }));
    right(await instance.ask(ann, 'channel.edit', { channel_id, permission_overwrites: [] }, { key: 'none' }));
    expect(refusal(await put('1024', 'none'))).toBe('keyReused');
  });

  it('for another member of a thread is refused', async () => {
    instance = await Instance.open();
    const [ann, ben, cleo] = [
      await instance.register('ann'),
      await instance.register('ben'),
      await instance.register('cleo'),
    ];
    const { channel } = await instance.guild(ann);
    for (const person of [ben, cleo]) await instance.join(ann, channel, person);
    const { id: channel_id } = await instance.do(ann, 'thread.create', { channel_id: channel, name: 't', type: 11 });
    const change = (type: 'thread.member.add' | 'thread.member.remove', user_id: string) =>
      instance.ask(ann, type, { channel_id, user_id }, { key: type });
    for (const type of ['thread.member.add', 'thread.member.remove'] as const) {
      right(await change(type, ben));
      right(await change(type, ben));
      expect(refusal(await change(type, cleo))).toBe('keyReused');
    }
  });
});
