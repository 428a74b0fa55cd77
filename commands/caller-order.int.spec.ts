import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createInvite, type InviteState } from '../domain/invite.ts';
import { inviteStream, memberStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { refusal, right } from './testing.ts';

let instance: Instance;
let ann: string;
let ben: string;
let guild: { id: string; channel: string };
beforeEach(async () => {
  instance = await Instance.open();
  [ann, ben] = [await instance.register('ann'), await instance.register('ben')];
  guild = await instance.guild(ann);
});
afterEach(() => instance.close());

const invite = async (body: object = {}): Promise<string> =>
  (await instance.do(ann, 'invite.create', { channel_id: guild.channel, ...body })).code;
const join = (code: string) => instance.ask(ben, 'guild.join', { code });
const leave = () => instance.ask(ben, 'guild.leave', { guild_id: guild.id });
const say = () => instance.send(ben, guild.channel, 'hello');
const membership = async () => (await instance.stream(memberStream(guild.id, ben))).map(({ type }) => type);

/** An invite that expired a moment ago. */
const expired = async (maxUses: number): Promise<string> => {
  const code = `gone${maxUses}`;
  const data = {
    code,
    guildId: guild.id,
    channelId: guild.channel,
    inviterId: ann,
    maxUses,
    expiresAt: Date.now() - 1,
  };
  const cause = { actor: ann, key: code, correlationId: 'c', causationId: null, traceparent: null };
  const stream = inviteStream(code);
  const decide = (state: InviteState) => createInvite({ invite: data }, state);
  right(await instance.write.deps.mailboxes.run({ stream, cause, prepare: async () => either.right(null), decide }));
  return code;
};

describe('commands that a person sends without waiting for answers', () => {
  it('join and leave in that order', async () => {
    for (const body of [{}, { max_uses: 5 }]) {
      const code = await invite(body);
      expect((await Promise.all([join(code), leave(), join(code), leave()])).map(refusal)).toEqual(
        Array.from({ length: 4 }, () => undefined),
      );
    }
    const both = ['member-joined', 'member-left'];
    expect(await membership()).toEqual([...both, ...both, ...both, ...both]);
  });

  it('speak as members or not, by what came before', async () => {
    const code = await invite();
    const answers = await Promise.all([say(), join(code), say(), leave(), say(), join(code), say()]);
    expect(answers.map(refusal)).toEqual([
      'unknownChannel',
      ...[undefined, undefined, undefined],
      'unknownChannel',
      ...[undefined, undefined],
    ]);
  });

  it('come back through no invite that has expired', async () => {
    await instance.join(ann, guild.channel, ben);
    for (const maxUses of [0, 5]) {
      const code = await expired(maxUses);
      expect((await Promise.all([leave(), join(code)])).map(refusal)).toEqual([undefined, 'inviteExpired']);
      await instance.join(ann, guild.channel, ben);
    }
  });

  it('use one place of an invite, ask twice at once and come back through it although it is full', async () => {
    const code = await invite({ max_uses: 1 });
    expect((await Promise.all([join(code), join(code), leave(), join(code)])).map(refusal)).toEqual(
      Array.from({ length: 4 }, () => undefined),
    );
    expect(await instance.events('invite-redeemed')).toHaveLength(1);
    await instance.settled();
    expect(await instance.views.guilds.member(guild.id, ben)).toBeDefined();
    const eve = await instance.register('eve');
    expect(refusal(await instance.ask(eve, 'guild.join', { code }))).toBe('inviteUsedUp');
  });

  it('do not come back by a repeated command', async () => {
    const code = await invite({ max_uses: 2 });
    const once = () => instance.ask(ben, 'guild.join', { code }, { key: 'join' });
    expect((await Promise.all([once(), leave(), once()])).map(refusal)).toEqual([undefined, undefined, undefined]);
    expect(await membership()).toEqual(['member-joined', 'member-left']);
  });
});
