/** Laws of every aggregate, over random commands. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PLAIN } from '../schemas/events/channel.ts';
import { bulkDelete } from './bulk-delete.ts';
import { type ChannelState, channelFold, edit, pin, post, remove, unpin } from './channel.ts';
import { type Decision, type Fold, nothing, type StreamState } from './decider.ts';
import { type DirectState, directFold, openDirect } from './direct.ts';
import { addRecipient, createGroup, editGroup, removeRecipient } from './groups.ts';
import { createGuild, type GuildState, guildFold, requestChannel } from './guild.ts';
import { createInvite, type InviteState, inviteFold, redeem } from './invite.ts';
import { endOwnership, join, leave, type MemberState, memberFold, takeOwnership } from './member.ts';
import { ban, editMember, kick, unban } from './moderation.ts';
import { addReaction, clearReactions, removeReaction, removeReactionOf } from './reactions.ts';
import { markRead, markUnread, mergeReads, type ReadState, readFold } from './read-markers.ts';
import {
  ANN,
  aChannel,
  anEdit,
  aPost,
  BEN,
  CHANNEL,
  events,
  GUILD,
  guild,
  History,
  NOW,
  OWNER,
  STRANGER,
  said,
} from './testing.ts';
import { register, signOut, type UserState, userFold } from './user.ts';

/** A command drawn at random: decides on the state, and on the history if it needs facts of a message. */
interface Drawn<State extends StreamState> {
  readonly key: string;
  readonly time: number;
  readonly decide: (state: State, history: History<State>) => Decision;
}

interface Aggregate<State extends StreamState> {
  readonly name: string;
  readonly begin: () => History<State>;
  readonly command: fc.Arbitrary<Drawn<State>>;
}

const user = fc.constantFrom(OWNER, ANN, BEN, STRANGER);
/** Few keys, so they repeat, even between commands of other kinds and content. */
const key = fc.integer({ min: 1, max: 12 }).map((n) => `key-${n}`);
const time = fc.integer({ min: -2_000_000, max: 2_000_000 }).map((offset) => NOW + offset);

const drawnFor =
  <State extends StreamState>() =>
  <Parts>(
    parts: fc.Arbitrary<Parts>,
    decide: (parts: Parts, key: string) => Drawn<State>['decide'],
  ): fc.Arbitrary<Drawn<State>> =>
    fc.tuple(parts, key, time).map(([one, k, at]) => ({ key: k, time: at, decide: decide(one, k) }));

const emoji = fc.constantFrom('👍', '🎉');
const onMessage = fc.record({
  userId: user,
  which: fc.nat(8),
  emoji,
  content: fc.constantFrom('', 'x', '<@2> @everyone'),
});
type ChannelHistory = History<ChannelState>;

const actor = (userId: string) => ({
  userId,
  guild,
  member: userId === STRANGER ? undefined : { userId, roles: [] },
});
const moderator = (userId: string) => ({ guild, member: { userId, roles: [] } });
const facts = (history: ChannelHistory, of: { userId: string; which: number; emoji: string }) => {
  const ids = history.happened.flatMap((event) => (event.type === 'message-posted' ? [event.data.messageId] : []));
  const id = ids[of.which];
  return id === undefined ? undefined : history.message(id, of.userId, of.emoji);
};
const knownUsers = new Set([OWNER, ANN]);

const channel: Aggregate<ChannelState> = {
  name: 'a channel',
  begin: () => aChannel(),
  command: fc.oneof(
    drawnFor<ChannelState>()(
      fc.record({ on: onMessage, reply: fc.boolean(), clock: fc.nat(5000) }),
      ({ on, reply, clock }, k) =>
        (state, history) =>
          post(
            {
              ...aPost(k, { ...actor(on.userId), body: said(on.content), knownUsers }),
              now: NOW + clock,
              low: BigInt(clock),
              reply: reply ? { message: facts(history, on), mention: true } : undefined,
            },
            state,
          ),
    ),
    drawnFor<ChannelState>()(onMessage, (on, k) => (state, history) => {
      const patch = { content: on.content };
      return edit(anEdit(k, facts(history, on), { ...actor(on.userId), patch, knownUsers }), state);
    }),
    drawnFor<ChannelState>()(
      onMessage,
      (on, k) => (state, history) => remove({ ...actor(on.userId), key: k, message: facts(history, on) }, state),
    ),
    drawnFor<ChannelState>()(
      onMessage,
      (on, k) => (state, history) =>
        addReaction({ ...actor(on.userId), key: k, message: facts(history, on), emoji: on.emoji }, state),
    ),
    drawnFor<ChannelState>()(
      onMessage,
      (on, k) => (state, history) =>
        removeReaction({ ...actor(on.userId), key: k, message: facts(history, on), emoji: on.emoji }, state),
    ),
    drawnFor<ChannelState>()(
      fc.record({ on: onMessage, others: fc.array(fc.nat(8), { maxLength: 3 }) }),
      ({ on, others }, k) =>
        (state, history) => {
          const messages = [...new Set([on.which, ...others])]
            .map((which) => facts(history, { ...on, which }))
            .filter((message) => message !== undefined);
          const messageIds = messages.map(({ messageId }) => messageId);
          return bulkDelete({ ...actor(on.userId), key: k, now: NOW, messageIds, messages }, state);
        },
    ),
    drawnFor<ChannelState>()(fc.record({ on: onMessage, of: user }), ({ on, of }, k) => (state, history) => {
      const message = facts(history, { ...on, userId: of });
      return removeReactionOf({ ...actor(on.userId), key: k, message, emoji: on.emoji, of }, state);
    }),
    drawnFor<ChannelState>()(fc.record({ on: onMessage, all: fc.boolean() }), ({ on, all }, k) => (state, history) => {
      const message = facts(history, on);
      return clearReactions({ ...actor(on.userId), key: k, message, emoji: all ? null : on.emoji }, state);
    }),
    ...[pin, unpin].map((decide) =>
      drawnFor<ChannelState>()(
        onMessage,
        (on, k) => (state, history) =>
          decide({ ...actor(on.userId), key: k, message: facts(history, on), now: NOW, low: 1n }, state),
      ),
    ),
  ),
};

const name = fc.constantFrom('One', 'Two');
const begin =
  <State extends StreamState>(fold: Fold<State>, stream: string) =>
  () =>
    new History(fold, stream);

const A_CHANNEL = {
  kind: 'text' as const,
  guildId: GUILD,
  name: 'g',
  topic: null,
  ...PLAIN,
  overwrites: [],
  participants: [],
};

const guilds: Aggregate<GuildState> = {
  name: 'a guild',
  begin: begin(guildFold, `guild-${GUILD}`),
  command: fc.oneof(
    drawnFor<GuildState>()(name, (called) => (state) => {
      const firstChannel = { id: CHANNEL, name: 'g' };
      return createGuild(
        {
          guild: {
            guildId: GUILD,
            name: called,
            ownerId: OWNER,
            everyone: '1',
            firstChannel,
            systemChannelId: CHANNEL,
          },
        },
        state,
      );
    }),
    drawnFor<GuildState>()(fc.nat(600), (channelId, key) => (state) => {
      const channel = { ...A_CHANNEL, channelId: String(channelId) };
      const known = [CHANNEL, 'older'].map((id) => ({ id, kind: 'text' as const, parentId: null }));
      return requestChannel({ channel, known, key }, state);
    }),
  ),
};

const members: Aggregate<MemberState> = {
  name: 'a membership',
  begin: begin(memberFold, `member-${GUILD}_${ANN}`),
  command: fc.oneof(
    drawnFor<MemberState>()(
      fc.constant(null),
      (invite, k) => (state) => join({ guildId: GUILD, userId: ANN, key: k, invite, announcedIn: null }, state),
    ),
    drawnFor<MemberState>()(
      fc.constantFrom(OWNER, ANN),
      (ownerId, k) => (state) => leave({ guildId: GUILD, userId: ANN, key: k, ownerId }, state),
    ),
    drawnFor<MemberState>()(fc.nat(9), (request) => (state) => {
      const owning = { guildId: GUILD, userId: ANN, request };
      return request % 2 === 0 ? takeOwnership(owning, state) : endOwnership(owning, state);
    }),
    ...[kick, ban, unban].map((decide) =>
      drawnFor<MemberState>()(user, (by, k) => (state) => {
        const { guild: of, member: actor } = moderator(by);
        return decide({ guild: of, actor, userId: ANN, key: k, deleteMessageSeconds: 0 }, state);
      }),
    ),
    drawnFor<MemberState>()(
      fc.record({
        by: user,
        nick: fc.constantFrom(undefined, null, 'Nan'),
        later: fc.constantFrom(undefined, null, 5),
      }),
      ({ by, nick, later }, k) =>
        (state) => {
          const timedOutUntil = typeof later === 'number' ? NOW + later : later;
          const patch = {
            ...(nick === undefined ? {} : { nick }),
            ...(timedOutUntil === undefined ? {} : { timedOutUntil }),
          };
          const { guild: of, member: actor } = moderator(by);
          return editMember({ guild: of, actor, userId: ANN, key: k, patch, formerNick: null }, state);
        },
    ),
  ),
};

const invites: Aggregate<InviteState> = {
  name: 'an invite',
  begin: begin(inviteFold, 'invite-abc'),
  command: fc.oneof(
    drawnFor<InviteState>()(fc.nat(3), (maxUses) => (state) => {
      const invite = { code: 'abc', guildId: GUILD, channelId: CHANNEL, inviterId: OWNER, maxUses, expiresAt: NOW + 5 };
      return createInvite({ invite }, state);
    }),
    drawnFor<InviteState>()(
      fc.tuple(user, fc.nat(9)),
      ([userId, later], key) =>
        (state) =>
          redeem({ userId, key, now: NOW + later }, state),
    ),
  ),
};

const users: Aggregate<UserState> = {
  name: 'a user',
  begin: begin(userFold, `user-${ANN}`),
  command: fc.oneof(
    drawnFor<UserState>()(
      name,
      (username) => (state) =>
        register({ userId: ANN, kind: 'person', ownerId: null, profile: { username, globalName: null } }, state),
    ),
    drawnFor<UserState>()(
      fc.option(fc.constantFrom('phone', 'desktop'), { nil: undefined }),
      (signIn, key) => (state) =>
        // A stream begins with the registration.
        state.registered ? signOut({ userId: ANN, signIn, until: NOW + 9, now: NOW, key }, state) : nothing,
    ),
  ),
};

const directs: Aggregate<DirectState> = {
  name: 'the channel of a pair',
  begin: begin(directFold, `dm-${ANN}_${BEN}`),
  command: drawnFor<DirectState>()(
    fc.constantFrom('7', '8'),
    (channelId) => (state) => openDirect({ channelId, participants: [ANN, BEN] }, state),
  ),
};

const inGroup = (userId: string, k: string) => ({
  ...{ userId, guild: undefined, member: undefined, key: k, channelId: CHANNEL, now: NOW, low: 1n },
});

const groups: Aggregate<ChannelState> = {
  name: 'a group',
  begin: () => {
    const participants = [OWNER, ANN];
    const channel = { ...A_CHANNEL, channelId: CHANNEL, kind: 'group' as const, guildId: null, participants };
    return new History(channelFold, `channel-${CHANNEL}`).given((state) =>
      createGroup({ channel, refusal: undefined, isFull: false }, state),
    );
  },
  command: fc.oneof(
    drawnFor<ChannelState>()(fc.tuple(user, user), ([by, targetId], k) => (state) => {
      return addRecipient({ ...inGroup(by, k), targetId, refusal: undefined, isFull: false }, state);
    }),
    drawnFor<ChannelState>()(fc.tuple(user, user), ([by, targetId], k) => (state) => {
      return removeRecipient({ ...inGroup(by, k), targetId }, state);
    }),
    drawnFor<ChannelState>()(fc.tuple(user, fc.option(name), user), ([by, called, ownerId], k) => (state) => {
      const patch = ownerId === STRANGER ? { name: called } : { name: called, ownerId };
      return editGroup({ ...inGroup(by, k), patch }, state);
    }),
  ),
};

const reads: Aggregate<ReadState> = {
  name: 'the read markers of a person',
  begin: begin(readFold, `read-${ANN}`),
  command: drawnFor<ReadState>()(
    fc.tuple(fc.constantFrom('7', '8'), fc.nat(9), fc.boolean()),
    ([channelId, ordinal, back]) =>
      (state) => {
        const decision = back
          ? markUnread({ userId: ANN, channelId, ordinal, last: 9 }, state)
          : markRead(ANN, [{ channelId, ordinal, known: 0 }], state);
        return decision._tag === 'Left' ? decision : { ...decision, right: mergeReads(decision.right, state) };
      },
  ),
};

const aggregates = [
  channel,
  groups,
  guilds,
  members,
  invites,
  users,
  directs,
  reads,
] as unknown as Aggregate<StreamState>[];

/** Runs the commands, skips refused ones, and calls back after each accepted one. */
const play = (
  { begin: start }: Aggregate<StreamState>,
  commands: readonly Drawn<StreamState>[],
  after: (history: History<StreamState>, command: Drawn<StreamState>) => void = () => {},
): History<StreamState> => {
  const history = start();
  for (const command of commands) {
    const decision = command.decide(history.state, history);
    if (decision._tag === 'Left') continue;
    history.record(events(decision), command.key, command.time);
    after(history, command);
  }
  return history;
};

describe.each(aggregates)('over random commands to $name', (aggregate) => {
  const commands = fc.array(aggregate.command, { maxLength: 40 });

  it('a repeated command yields no events', () => {
    fc.assert(
      fc.property(commands, (list) => {
        play(aggregate, list, (history, { decide }) => expect(events(decide(history.state, history))).toEqual([]));
      }),
    );
  });

  it('a state restored from JSON equals the original, and continues like it', () => {
    fc.assert(
      fc.property(commands, fc.nat(40), (list, cut) => {
        const { fold, happened, state } = play(aggregate, list);
        let again = fold.initial();
        for (const [at, event] of happened.entries()) {
          if (at === cut) again = fold.fromJson(JSON.parse(JSON.stringify(fold.toJson(again))));
          again = fold.evolve(again, event);
        }
        expect(fold.fromJson(JSON.parse(JSON.stringify(fold.toJson(state))))).toEqual(state);
        expect(again).toEqual(state);
      }),
    );
  });

  it('the state holds the sequence of the last event', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const { happened, state } = play(aggregate, list);
        expect(state.sequence).toBe(happened.length);
      }),
    );
  });
});

it('ordinals are dense and ids grow with them, over random commands to a channel and random clocks', () => {
  fc.assert(
    fc.property(fc.array(channel.command, { maxLength: 60 }), (list) => {
      const { happened } = play(aggregates[0]!, list as unknown as Drawn<StreamState>[]);
      const posted = happened.flatMap((event) => (event.type === 'message-posted' ? [event.data] : []));
      expect(posted.map(({ ordinal }) => ordinal)).toEqual(posted.map((_, i) => i + 1));
      for (const [i, { messageId }] of posted.entries())
        if (i > 0) expect(BigInt(messageId) > BigInt(posted[i - 1]!.messageId)).toBe(true);
    }),
  );
});
