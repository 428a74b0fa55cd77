import { either } from 'fp-ts';
import { afterEach, describe, expect, it } from 'vitest';
import { type InviteState, redeem } from '../domain/invite.ts';
import { systemClock } from '../schemas/clock.ts';
import { inviteStream, memberStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { followUps } from './features/index.ts';
import { Mailboxes, type Outcome } from './mailbox.ts';
import { Processes } from './processes.ts';
import { StateStore } from './states.ts';
import { refusal, right } from './testing.ts';

let instance: Instance;
afterEach(() => instance.close());

/** A few people, the first of whom owns a guild. */
const aGuild = async (people: number, options = {}) => {
  instance = await Instance.open(options);
  const ids = await Promise.all(Array.from({ length: people }, (_, i) => instance.register(`person-${i}`)));
  return { owner: ids[0]!, others: ids.slice(1), guild: await instance.guild(ids[0]!) };
};

const capped = async (owner: string, channel: string, maxUses: number): Promise<string> =>
  (await instance.do(owner, 'invite.create', { channel_id: channel, max_uses: maxUses })).code;

const membersOf = async (guildId: string) =>
  (await instance.views.guilds.members(guildId, { limit: 1000 })).map(({ userId }) => userId);

/** Mailboxes on the same log, of a server that stops before it gets to some streams. */
const otherMailboxes = (never: (stream: string) => boolean = () => false) => {
  const { log, keys, views } = instance;
  const states = new StateStore(log, views.snapshots);
  const mailboxes = new Mailboxes({
    log,
    states,
    keys,
    clock: systemClock,
    waiting: 10_000,
    onConflict: () => {},
    onFailure: () => {},
  });
  const run = mailboxes.run.bind(mailboxes);
  mailboxes.run = ((task: Parameters<typeof run>[0]): Promise<Outcome> =>
    never(task.stream) ? new Promise(() => {}) : run(task)) as typeof run;
  return mailboxes;
};

/** No process here erases anybody. */
const parts = () => {
  const { timelines, now, lowBits, views } = instance.write.deps;
  return { vault: { erase: async () => {} }, clock: systemClock, timelines, now, lowBits, guilds: views.guilds };
};

describe('a guild', () => {
  it('has its first channel and its owner when the answer comes', async () => {
    const { owner, guild } = await aGuild(1);
    expect(await membersOf(guild.id)).toEqual([owner]);
    expect((await instance.views.guilds.channelsOf(guild.id)).map(({ id }) => id)).toEqual([guild.channel]);
    right(await instance.send(owner, guild.channel, 'at once'));
  });

  it('appears to its owner only once they have joined, which happens last', async () => {
    const { owner } = await aGuild(1, { processes: false });
    const types = (await instance.log.readAll({ after: 0, limit: 4 })).events.map(({ type }) => type);
    expect(types).toEqual(['user-registered', 'guild-created', 'channel-created', 'member-joined']);

    // Half of the steps: the server stopped after it created the channel.
    const processes = new Processes(
      instance.log,
      otherMailboxes((stream) => stream.startsWith('member-')),
      followUps,
      parts(),
    );
    const guildsBefore = (await instance.views.guilds.guildsOf(owner)).length;
    const answer = instance.write.deps.mailboxes.run({
      stream: 'guild-77',
      cause: { actor: owner, key: 'k', correlationId: 'c', causationId: null, traceparent: null },
      prepare: async () => either.right(undefined),
      decide: () =>
        either.right([
          {
            type: 'guild-created' as const,
            data: {
              ...{ guildId: '77', name: 'Half', ownerId: owner, everyone: '0', systemChannelId: null },
              firstChannel: { id: '78', name: 'g' },
            },
          },
        ]),
    });
    const { position } = right(await answer);
    expect(await processes.whenFollowedUp({ position, stream: 'guild-77', key: 'k' }, 100)).toBeUndefined();
    await instance.views.whenProcessed(await instance.log.head(), 5000);
    expect(await instance.views.guilds.channel('78')).toBeDefined();
    expect(await instance.views.guilds.guildsOf(owner)).toHaveLength(guildsBefore);

    await instance.reopen({ processes: true });
    await instance.settled();
    expect(await instance.views.guilds.guildsOf(owner)).toHaveLength(guildsBefore + 1);
  });
});

describe('processes', () => {
  it('change nothing when they are repeated from any checkpoint', async () => {
    const { owner, others, guild } = await aGuild(4);
    const code = await capped(owner, guild.channel, 10);
    for (const userId of others) await instance.do(userId, 'guild.join', { code });
    await instance.do(others[0]!, 'guild.leave', { guild_id: guild.id });
    await instance.do(owner, 'dm.create', { recipient_id: others[1]! });
    await instance.settled();
    const head = await instance.log.head();
    for (let checkpoint = 0; checkpoint <= head; checkpoint += 1) {
      const processes = new Processes(instance.log, otherMailboxes(), followUps, parts());
      await processes.catchUp(checkpoint);
      expect(processes.through()).toBe(head);
    }
    expect(await instance.log.head()).toBe(head);
    // A member who left is not joined again.
    expect(await membersOf(guild.id)).not.toContain(others[0]);
  });

  it("do not report progress past a former run's work until that has been caught up with", async () => {
    await aGuild(1, { processes: false });
    const [created] = await instance.events('guild-created');
    let reached = () => {};
    const stuck = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const mailboxes = otherMailboxes((stream) => {
      if (!stream.startsWith('member-')) return false;
      reached();
      return true;
    });
    const ending = new Processes(instance.log, mailboxes, followUps, parts());
    void ending.catchUp(0);
    await stuck;
    await ending.onBatch([], 1000);
    expect(ending.through()).toBeLessThan(created!.position);
  });

  it("make an answer wait for what follows its own event, not a neighbour's", async () => {
    const { owner, others, guild } = await aGuild(3, { processes: false });
    const code = await capped(owner, guild.channel, 5);
    const redeemed = await Promise.all(
      others.map((userId) =>
        instance.write.deps.mailboxes.run({
          stream: inviteStream(code),
          cause: { actor: userId, key: userId, correlationId: 'c', causationId: null, traceparent: null },
          prepare: async () => either.right(undefined),
          decide: (state: InviteState) => redeem({ userId, key: userId, now: Date.now() }, state),
        }),
      ),
    );
    const processes = new Processes(instance.log, otherMailboxes(), followUps, parts());
    const { position } = right(redeemed[0]!);
    await processes.whenFollowedUp({ position, stream: inviteStream(code), key: others[0]! }, 1000);
    expect((await instance.stream(memberStream(guild.id, others[0]!))).map(({ type }) => type)).toEqual([
      'member-joined',
    ]);
    expect(await instance.stream(memberStream(guild.id, others[1]!))).toEqual([]);
  });
});

describe('a capped invite', () => {
  it('with 5 uses lets exactly 5 of 20 people in when all come at once', async () => {
    const { owner, others, guild } = await aGuild(21);
    const code = await capped(owner, guild.channel, 5);
    const answers = await Promise.all(others.map((userId) => instance.ask(userId, 'guild.join', { code })));
    const outcomes = answers.map(refusal);
    expect(outcomes.filter((name) => name === undefined)).toHaveLength(5);
    expect(new Set(outcomes)).toEqual(new Set([undefined, 'inviteUsedUp']));
    await instance.settled();
    const joined = others.filter((_, i) => outcomes[i] === undefined);
    expect((await membersOf(guild.id)).toSorted()).toEqual([owner, ...joined].toSorted());
  });

  it('lets everybody it let in speak at once', async () => {
    const { owner, others, guild } = await aGuild(13);
    const code = await capped(owner, guild.channel, 12);
    const sent = others.map(async (userId) => {
      await instance.do(userId, 'guild.join', { code });
      return refusal(await instance.send(userId, guild.channel, 'hello'));
    });
    expect(new Set(await Promise.all(sent))).toEqual(new Set([undefined]));
  });

  it('uses one place for a repeated command, and answers it with the first event', async () => {
    const { owner, others, guild } = await aGuild(2);
    const code = await capped(owner, guild.channel, 3);
    const twice = await Promise.all(
      [1, 2].map(() => instance.ask(others[0]!, 'guild.join', { code }, { key: 'join' })),
    );
    await instance.settled();
    expect(await instance.events('invite-redeemed')).toHaveLength(1);
    const [redeemed] = await instance.events('invite-redeemed');
    expect(right(twice[0]!)).toMatchObject({ stream: inviteStream(code), sequence: redeemed!.sequence });
    expect((await instance.views.guilds.invite(code))?.uses).toBe(1);
  });

  it('uses one place for a person who asks twice at once, or leaves and comes back', async () => {
    const { owner, others, guild } = await aGuild(2);
    const [ann] = others;
    const code = await capped(owner, guild.channel, 3);
    await Promise.all(['one', 'two'].map((key) => instance.do(ann!, 'guild.join', { code }, { key })));
    await instance.do(ann!, 'guild.leave', { guild_id: guild.id });
    await instance.do(ann!, 'guild.join', { code }, { key: 'three' });
    await instance.settled();
    expect(await instance.views.guilds.member(guild.id, ann!)).toBeDefined();
    expect(await instance.events('invite-redeemed')).toHaveLength(1);
  });
});
