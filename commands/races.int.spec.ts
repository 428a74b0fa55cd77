/** What many do at once ends as if they had done it one after the other. */

import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelStream, memberStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { dense, refusal, right } from './testing.ts';

let instance: Instance;
let ann: string;
let guild: { id: string; channel: string };
beforeEach(async () => {
  instance = await Instance.open({ bounds: { commands: 2000, waiting: 5000 } });
  ann = await instance.register('ann');
  guild = await instance.guild(ann);
});
afterEach(() => instance.close());

/** Few passwords are hashed at once, and few wait. */
const people = async (count: number): Promise<readonly string[]> => {
  const made: string[] = [];
  while (made.length < count)
    made.push(...(await Promise.all(Array.from({ length: 10 }, (_, n) => instance.register(`p${made.length + n}`)))));
  return made;
};

it.each([1, 7])(
  'fifty people take the last uses of an invite: %i get in, the others learn that it is used up',
  async (left) => {
    const fifty = await people(50);
    const { code } = await instance.do(ann, 'invite.create', { channel_id: guild.channel, max_uses: left });
    // Each asks twice, as a client does that lost its answer.
    const asked = await Promise.all(
      [...fifty, ...fifty].map((userId) => instance.ask(userId, 'guild.join', { code }, { key: `join of ${userId}` })),
    );
    const isIn = fifty.filter((_, n) => either.isRight(asked[n]!));
    expect(isIn).toHaveLength(left);
    expect(asked.slice(50).map(either.isRight)).toEqual(asked.slice(0, 50).map(either.isRight));
    expect(new Set(asked.map(refusal))).toEqual(new Set([undefined, 'inviteUsedUp']));
    await instance.settled();
    for (const userId of fifty) {
      const types = (await instance.stream(memberStream(guild.id, userId))).map(({ type }) => type);
      expect(types).toEqual(isIn.includes(userId) ? ['member-joined'] : []);
    }
    const { views } = instance;
    expect((await views.guilds.guild(guild.id))!.memberCount).toBe(1 + left);
    expect((await views.guilds.invite(code))!.uses).toBe(left);
    // Nobody gets in later either.
    expect(refusal(await instance.ask(await instance.register('late'), 'guild.join', { code }))).toBe('inviteUsedUp');
  },
);

it('a report that is closed twenty times at once is closed in each answer', async () => {
  const [ben, cat] = (await people(10)) as [string, string];
  await instance.join(ann, guild.channel, ben, cat);
  const { id: message_id } = await instance.do(ben, 'message.send', { channel_id: guild.channel, content: 'rude' });
  const report = await instance.do(cat, 'message.report', { channel_id: guild.channel, message_id, kind: 'spam' });
  const closing = { guild_id: guild.id, report_id: report.id, state: 'closed' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => instance.do(ann, 'report.handle', closing)));
  expect(new Set(answers.map(({ state }) => state))).toEqual(new Set(['closed']));
});

describe('twenty people send into a channel while', () => {
  const EACH = 20;

  /** All send at once, and when some have been taken, the end comes. */
  const sendingUntil = async (channelId: string, end: () => Promise<unknown>) => {
    const twenty = await people(20);
    await instance.join(ann, guild.channel, ...twenty);
    const sending = twenty.flatMap((userId, p) =>
      Array.from({ length: EACH }, (_, n) => instance.send(userId, channelId, `message ${n}`, { key: `${p}.${n}` })),
    );
    await sending[EACH];
    await end();
    const later = await Promise.all(twenty.map((userId) => instance.send(userId, channelId, 'too late')));
    const asked = await Promise.all(sending);
    await instance.settled();
    const log = (await instance.stream(channelStream(channelId))).toSorted((a, b) => a.sequence - b.sequence);
    return { asked, later, log };
  };

  const taken = (asked: readonly Awaited<ReturnType<Instance['send']>>[]) =>
    asked.flatMap((one) => {
      const answer = either.isRight(one) ? one.right.answer : undefined;
      return answer?.kind === 'posted' ? [answer.event.data.messageId] : [];
    });

  it('it is deleted: each is in the log before the deletion, or refused', async () => {
    const { asked, later, log } = await sendingUntil(guild.channel, async () =>
      right(await instance.ask(ann, 'channel.delete', { channel_id: guild.channel })),
    );
    const deleted = log.findIndex(({ type }) => type === 'channel-deleted');
    expect(log.slice(deleted + 1)).toEqual([]);
    const posted = log.flatMap((event) => (event.type === 'message-posted' ? [event.data] : []));
    expect(posted.length).toBeGreaterThan(0);
    expect(posted.map(({ messageId }) => messageId).toSorted()).toEqual(taken(asked).toSorted());
    expect(dense(posted.map(({ ordinal }) => ordinal))).toBe(true);
    for (const one of [...asked, ...later]) expect([undefined, 'unknownChannel']).toContain(refusal(one));
    expect(new Set(later.map(refusal))).toEqual(new Set(['unknownChannel']));
  });

  it.each([
    ['its guild', () => instance.ask(ann, 'guild.delete', { guild_id: guild.id })],
    ['the channel of the thread', () => instance.ask(ann, 'channel.delete', { channel_id: guild.channel })],
  ] as const)(
    '%s is deleted: what was taken is in the log once, and nothing that was begun later',
    async (what, end) => {
      const thread = { channel_id: guild.channel, name: 'thread', type: 11 as const };
      const channelId = what === 'its guild' ? guild.channel : (await instance.do(ann, 'thread.create', thread)).id;
      const { asked, later, log } = await sendingUntil(channelId, async () => right(await end()));
      const posted = log.flatMap((event) => (event.type === 'message-posted' ? [event.data.messageId] : []));
      expect(posted.length).toBeGreaterThan(0);
      expect(posted.toSorted()).toEqual(taken(asked).toSorted());
      for (const one of asked) expect([undefined, 'unknownChannel']).toContain(refusal(one));
      expect(new Set(later.map(refusal))).toEqual(new Set(['unknownChannel']));
    },
  );
});

it.each(['user.disable', 'user.delete'] as const)(
  'of two administrators who do %s to each other at once, one stays',
  async (type) => {
    const ben = await instance.register('ben');
    await instance.do(ann, 'guild.delete', { guild_id: guild.id });
    await instance.do(ann, 'administrator.name', { user_id: ben });
    const asked = await Promise.all([
      instance.ask(ann, type, { user_id: ben }),
      instance.ask(ben, type, { user_id: ann }),
    ]);
    expect(asked.filter(either.isRight)).toHaveLength(1);
    await instance.settled();
    const left = either.isRight(asked[0]!) ? ann : ben;
    expect(await instance.views.guilds.administrators()).toEqual([left]);
    expect((await instance.views.guilds.user(left))!.standing).toMatchObject({ disabled: false, deleted: false });
    const later = await instance.ask(left, type, { user_id: left });
    expect(refusal(later)).toBe('lastAdministrator');
  },
);

it('an administrator who was shut out and let in again has to be named again', async () => {
  const ben = await instance.register('ben');
  await instance.do(ann, 'administrator.name', { user_id: ben });
  await instance.do(ann, 'user.disable', { user_id: ben });
  await instance.do(ann, 'user.enable', { user_id: ben });
  expect(await instance.views.guilds.administrators()).toEqual([ann]);
  expect((await instance.views.guilds.user(ben))!.standing.disabled).toBe(false);
});
