import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelStream, memberStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { refusal, right } from './testing.ts';

let instance: Instance;
let ann: string;
let ben: string;
let guild: { id: string; channel: string };
beforeEach(async () => {
  instance = await Instance.open({ bounds: { commands: 2000, waiting: 5000 } });
  [ann, ben] = [await instance.register('ann'), await instance.register('ben')];
  guild = await instance.guild(ann);
  await instance.join(ann, guild.channel, ben);
});
afterEach(() => instance.close());

const onBen = () => ({ guild_id: guild.id, user_id: ben });

describe('a ban', () => {
  it('while a thousand messages are on their way: those before it are deleted, those after it refused', async () => {
    const sending = Array.from({ length: 1000 }, (_, n) =>
      instance.send(ben, guild.channel, `message ${n}`, { key: `m${n}` }),
    );
    // Some are decided before it, some after.
    await sending[300];
    right(await instance.ask(ann, 'member.ban', { ...onBen(), delete_message_seconds: 600 }));
    const later = await instance.send(ben, guild.channel, 'once more');
    const refusals = (await Promise.all(sending)).map(refusal);
    expect(refusal(later)).toBe('unknownChannel');
    const first = refusals.findIndex((name) => name !== undefined);
    const taken = first === -1 ? refusals.length : first;
    expect(taken).toBeGreaterThan(300);
    expect(new Set(refusals.slice(taken))).toEqual(new Set(taken < refusals.length ? ['unknownChannel'] : []));
    await instance.settled();
    const events = await instance.stream(channelStream(guild.channel));
    const posted = events.flatMap((event) => (event.type === 'message-posted' ? [event.data.messageId] : []));
    const deleted = events.flatMap((event) =>
      event.type === 'messages-deleted' ? event.data.messages.map(({ messageId }) => messageId) : [],
    );
    expect(posted).toHaveLength(taken);
    expect(deleted).toEqual(posted);
  });

  it('leaves what was said before the time that it names, and what others said', async () => {
    right(await instance.send(ben, guild.channel, 'stays'));
    right(await instance.ask(ann, 'member.ban', onBen()));
    await instance.settled();
    expect(await instance.events('messages-deleted')).toEqual([]);
  });

  it('between the taking of a place and the joining keeps the person out', async () => {
    const { code } = await instance.do(ann, 'invite.create', { channel_id: guild.channel, max_uses: 9 });
    await instance.do(ben, 'guild.leave', { guild_id: guild.id });
    const [joined] = await Promise.all([
      instance.ask(ben, 'guild.join', { code }),
      instance.ask(ann, 'member.ban', onBen()),
    ]);
    const isIn = await instance.views.guilds.member(guild.id, ben);
    expect(isIn).toBeUndefined();
    const types = (await instance.stream(memberStream(guild.id, ben))).map(({ type }) => type);
    // Whoever was in before the ban was put out by it.
    expect(types.at(-1)).toBe(either.isRight(joined) ? 'member-left' : 'member-banned');
    expect(refusal(await instance.ask(ben, 'guild.join', { code }))).toBe('userBanned');
  });
});

it('kicks and joins at once leave what some order of them leaves', async () => {
  const { code } = await instance.do(ann, 'invite.create', { channel_id: guild.channel });
  const asked = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      n % 2 === 0 ? instance.ask(ann, 'member.kick', onBen()) : instance.ask(ben, 'guild.join', { code }),
    ),
  );
  const kicks = asked.filter((_, n) => n % 2 === 0);
  const types = (await instance.stream(memberStream(guild.id, ben))).map(({ type }) => type);
  expect(types).toEqual(types.map((_, n) => (n % 2 === 0 ? 'member-joined' : 'member-left')));
  expect(types.filter((type) => type === 'member-left')).toHaveLength(kicks.filter(either.isRight).length);
  for (const kick of kicks) expect([undefined, 'unknownMember']).toContain(refusal(kick));
  await instance.settled();
  expect((await instance.views.guilds.member(guild.id, ben)) !== undefined).toBe(types.at(-1) === 'member-joined');
  expect((await instance.views.guilds.guild(guild.id))!.memberCount).toBe(types.at(-1) === 'member-joined' ? 2 : 1);
});

it('a message sent after a timeout is acknowledged is refused, and so is whatever else it took', async () => {
  const until = new Date(Date.now() + 60_000).toISOString();
  right(await instance.ask(ann, 'member.edit', { ...onBen(), communication_disabled_until: until }));
  expect(refusal(await instance.send(ben, guild.channel, 'x'))).toBe('missingPermissions');
  expect(refusal(await instance.ask(ben, 'invite.create', { channel_id: guild.channel }))).toBe('missingPermissions');
  expect(refusal(await instance.ask(ben, 'member.edit-own', { guild_id: guild.id, nick: 'x' }))).toBe(
    'missingPermissions',
  );
});
