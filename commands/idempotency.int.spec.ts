import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { refusal, right, silentWhile } from './testing.ts';

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

  it('is refused if the content differs', async () => {
    right(await instance.send(ann, channel, 'hello', { key: 'once' }));
    expect(refusal(await instance.send(ann, channel, 'other', { key: 'once' }))).toBe('keyReused');
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

  it('is invited where the outcome is unknown, and finds what was stored; without a key nothing is invited', async () => {
    let silent = false;
    await instance.reopen({ logFor: silentWhile(() => silent) });
    silent = true;
    const lost = await instance.send(ann, channel, 'hello', { key: 'once' });
    expect(lost).toMatchObject({ left: { name: 'outcomeUnknown', status: 504, retryAfter: 1 } });
    const keyless = await instance.send(ann, channel, 'hello', { key: null });
    expect(refusal(keyless)).toBe('outcomeUnknown');
    expect(keyless).not.toHaveProperty('left.retryAfter');
    silent = false;
    const [first] = await posted();
    expect(right(await instance.send(ann, channel, 'hello', { key: 'once' })).sequence).toBe(first!.sequence);
    expect(await posted()).toHaveLength(2);
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

  it('pins once and answers a repeat, also after a reopen and after a rebuild of the views', async () => {
    const [one, two] = [
      shown(await instance.send(ann, channel, 'one')),
      shown(await instance.send(ann, channel, 'two')),
    ];
    const asks = (type: 'message.pin' | 'message.unpin' | 'message.delete', { id }: { id: string }) =>
      instance.ask(ann, type, { channel_id: channel, message_id: id }, { key: 'k' });
    const both = await Promise.all([asks('message.pin', one), asks('message.pin', one)]);
    expect(both.map(refusal)).toEqual([undefined, undefined]);
    const length = (await instance.stream(channelStream(channel))).length;
    for (const reopen of [undefined, { forgetViews: false }, { forgetViews: true }]) {
      if (reopen !== undefined) await instance.reopen(reopen);
      expect(refusal(await asks('message.pin', one))).toBeUndefined();
      expect(refusal(await asks('message.pin', two))).toBe('keyReused');
    }
    expect(await instance.stream(channelStream(channel))).toHaveLength(length);

    // Deleting a pinned message is two events as well.
    for (const _ of [1, 2]) expect(refusal(await asks('message.delete', one))).toBeUndefined();
    expect(refusal(await asks('message.delete', two))).toBe('keyReused');

    await instance.do(ann, 'message.pin', { channel_id: channel, message_id: two.id });
    for (const _ of [1, 2]) expect(refusal(await asks('message.unpin', two))).toBeUndefined();
    expect(refusal(await asks('message.unpin', one))).toBe('keyReused');
  });

  it('is free again when the command changed nothing', async () => {
    const [one, two] = [
      shown(await instance.send(ann, channel, 'one')),
      shown(await instance.send(ann, channel, 'two')),
    ];
    const unpin = ({ id }: { id: string }) =>
      instance.ask(ann, 'message.unpin', { channel_id: channel, message_id: id }, { key: 'k' });
    right(await unpin(one));
    await instance.do(ann, 'message.pin', { channel_id: channel, message_id: two.id });
    right(await unpin(two));
    expect((await instance.stream(channelStream(channel))).at(-1)?.type).toBe('message-unpinned');
  });

  it('treats other flags or another nonce as other content', async () => {
    const send = (more: { flags?: number; nonce?: string | number }) =>
      instance.ask(ann, 'message.send', { channel_id: channel, content: 'yes', ...more }, { key: 'k' });
    const first = shown(await send({ flags: 4, nonce: 'n' }));
    expect(shown(await send({ flags: 4, nonce: 'n' })).id).toBe(first.id);
    for (const other of [{ nonce: 'n' }, { flags: 4 }, { flags: 4, nonce: 'm' }, { flags: 4100, nonce: 'n' }])
      expect(refusal(await send(other))).toBe('keyReused');
    expect(await posted()).toHaveLength(1);
  });

  it('creates one application, whose token a refused repeat does not take away', async () => {
    const create = (name: string) => instance.ask(ann, 'application.create', { name }, { key: 'k' });
    const first = shown(await create('robot'));
    expect(refusal(await create('other'))).toBe('keyReused');
    expect(await instance.tokens.verify(first.bot.token)).toMatchObject({ userId: first.id });
    expect(shown(await create('robot')).id).toBe(first.id);
  });

  it('treats another age of an invite as other content', async () => {
    const create = (max_age?: number) =>
      instance.ask(ann, 'invite.create', { channel_id: channel, max_age }, { key: 'k' });
    const first = shown(await create());
    expect(shown(await create()).code).toBe(first.code);
    for (const other of [0, 3600, 86_400]) expect(refusal(await create(other))).toBe('keyReused');
  });

  it('opens the direct channel of each recipient, since each is a stream of its own', async () => {
    const [ben, eve] = [await instance.register('ben'), await instance.register('eve')];
    const open = (recipient_id: string) => instance.ask(ann, 'dm.create', { recipient_id }, { key: 'k' });
    const first = shown(await open(ben));
    expect(shown(await open(ben)).id).toBe(first.id);
    expect(shown(await open(eve)).id).not.toBe(first.id);
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

describe('a repeated key of a change', () => {
  it('is refused with other content, also with what empties a field', async () => {
    const [guild_id] = (await instance.views.guilds.guildsOf(ann)).map(({ id }) => id);
    const aRole = async (name: string) => (await instance.do(ann, 'role.create', { guild_id, name })).id as string;
    const [role_id, other] = [await aRole('one'), await aRole('two')];
    const inGuild = { guild_id };
    const onRole = { guild_id, role_id };
    const changes = [
      ['channel.edit', { channel_id: channel }, { topic: 'about', nsfw: true }],
      ['channel.edit', { channel_id: channel }, { topic: null }, { topic: 'else' }, { nsfw: null }, { name: 'x' }],
      ['guild.edit', inGuild, { description: 'about' }, { description: null }, { description: '' }, { name: 'Other' }],
      ['role.edit', onRole, { name: 'helpers', color: 7 }, { color: null }, { name: 'others' }, { hoist: true }],
      ['role.move', inGuild, { roles: [{ id: role_id, position: 5 }] }, { roles: [{ id: role_id, position: 6 }] }],
      ['member.role.add', { ...onRole, user_id: ann }, {}, { role_id: other }],
    ] as const;
    for (const [n, [type, on, once, ...others]] of changes.entries()) {
      const asks = (fields: object) => instance.ask(ann, type, { ...on, ...once, ...fields }, { key: `key ${n}` });
      const first = right(await asks({}));
      expect(right(await asks({})).sequence).toBe(first.sequence);
      for (const fields of others)
        expect([type, fields, refusal(await asks(fields))]).toEqual([type, fields, 'keyReused']);
    }
  });
});

describe('a nonce to enforce', () => {
  const says = (content: string, nonce: string | number, key: string | null = null) =>
    instance.ask(ann, 'message.send', { channel_id: channel, content, nonce, enforce_nonce: true }, { key });

  it.each([
    ['ids of its own', 'i1', 'i2'],
    ['no ids', null, null],
    ['an id only at first', 'i1', null],
    ['an id only afterwards', null, 'i2'],
  ])(
    'posts one message for commands with %s, also after a reopen and after a rebuild of the views',
    async (_, a, b) => {
      const first = shown(await says('first', 'n', a));
      for (const reopen of [undefined, { forgetViews: false }, { forgetViews: true }]) {
        if (reopen !== undefined) await instance.reopen(reopen);
        for (const content of ['first', 'other'])
          expect(shown(await says(content, 'n', b))).toMatchObject({ id: first.id, content: 'first' });
      }
      expect(await posted()).toHaveLength(1);
    },
  );

  it('posts one message for a hundred commands at once, each with an id of its own', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => says('hello', 'n', `i${i}`)));
    expect(new Set(answers.map((answer) => shown(answer).id)).size).toBe(1);
    expect(await posted()).toHaveLength(1);
  });

  it('is no id that reads the same', async () => {
    const sent = [
      await instance.send(ann, channel, 'by id', { key: '1' }),
      await says('by nonce', 1),
      await says('by both', '2', '3'),
      await instance.send(ann, channel, 'by id of another nonce', { key: '2' }),
      await says('by nonce of another id', 3),
    ].map(shown);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(sent.length);
    expect(shown(await says('by nonce', '1')).id).toBe(sent[1].id);
  });

  it('leaves the id as strict as it is', async () => {
    const first = shown(await says('first', 'n', 'i'));
    expect(refusal(await says('other', 'n', 'i'))).toBe('keyReused');
    expect(refusal(await says('other', 'another', 'i'))).toBe('keyReused');
    expect(shown(await says('first', 'n', 'i')).id).toBe(first.id);
    expect(await posted()).toHaveLength(1);
  });

  it('finds a message whose nonce was not enforced, and one of another author never', async () => {
    const ben = await instance.register('ben');
    await instance.join(ann, channel, ben);
    const send = (who: string) =>
      instance.ask(who, 'message.send', { channel_id: channel, content: 'hello', nonce: 'n' });
    right(await send(ben));
    const { id } = shown(await send(ann));
    expect(shown(await says('hello', 'n')).id).toBe(id);
    expect(await posted()).toHaveLength(2);
  });

  it('finds what a former version stored, which took the nonce for an id', async () => {
    const { id } = shown(
      await instance.ask(ann, 'message.send', { channel_id: channel, content: 'a', nonce: 7 }, { key: '7' }),
    );
    await instance.reopen({ forgetViews: true });
    expect(shown(await says('a', 7)).id).toBe(id);
  });
});
