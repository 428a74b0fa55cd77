/** Messages: sending, editing, deleting. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as channel from '../../domain/channel.ts';
import { type Decision, refuse } from '../../domain/decider.ts';
import { allowedMentions, mentionsIn, tellsRepliedTo } from '../../domain/mentions.ts';
import { nonceKey } from '../../domain/recent-keys.ts';
import { isTooNew } from '../../domain/verification.ts';
import { actorIn, blockersOf, type CallerInChannel } from '../../projections/views/guild-views/access.ts';
import type { Actor } from '../../schemas/actor.ts';
import { anyText, integer, optional, Snowflake, text } from '../../schemas/codecs.ts';
import type { Sealed } from '../../schemas/envelope.ts';
import { fieldError, type ParleyError } from '../../schemas/errors.ts';
import {
  type Forwarded,
  HAS_THREAD,
  MessageBody,
  SUPPRESS_EMBEDS,
  SUPPRESS_NOTIFICATIONS,
} from '../../schemas/events/channel.ts';
import { OnChannel, OnMessage } from '../../schemas/http/route.ts';
import { Message } from '../../schemas/http/shapes.ts';
import { type Soon, soon } from '../../schemas/soon.ts';
import { channelStream } from '../../schemas/streams.ts';
import { openAs } from '../../vault/sealing.ts';
import { type Asked, type CommandDeps, command, type Result, refused, unlessRepeated } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import type { Answer } from '../port.ts';
import { type About, currentFacts, storedFacts } from '../states.ts';
import { nothingSince, type Since } from '../turn.ts';
import { AllowedMentions, refuseBoth } from './allowed-mentions.ts';
import { Embeds, refuseTooLong } from './embeds.ts';
import {
  inOtherGuild,
  MessageReference,
  readable,
  refuseReference,
  repliedTo,
  toForward,
} from './message-references.ts';
import { inSlowmode } from './slow-mode.ts';

export const MESSAGE_LENGTH = 2000;
const NOBODY: ReadonlySet<string> = new Set();
const ONLY_USERS = { everyone: false, users: true, roles: false } as const;
const NOTHING_ELSE = { everyone: false, roles: NOBODY };

/** Many send a snowflake, some of those as a number. */
const Nonce = t.union([text(0, 25, 'nonce'), integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), Snowflake]);

const content = {
  content: optional(anyText(0, MESSAGE_LENGTH, 'content')),
  embeds: optional(Embeds),
  allowed_mentions: optional(AllowedMentions),
};
const Content = t.partial(content);
type Content = t.TypeOf<typeof Content>;

/** Edits and new messages alike. */
const notThere = {
  ...{ components: [], attachments: [], files: [], sticker_ids: [], stickers: [], poll: [], embed: [] },
  ...{ thread: [], shared_client_theme: [], activity: [], application_id: [], tts: [false] },
};

const Flags = integer(0, 2 ** 31 - 1);
/** The flags that an author may set. Discord has two more: of a voice message, and of one made of components alone. */
const SETTABLE = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS;
/** Libraries send the message's other flags along. Those that it does not have are refused when it is known. */
const EDITABLE = SETTABLE | HAS_THREAD;

const refuseOtherFlags = (flags: number | null | undefined, known: number): ParleyError | undefined => {
  const others = (flags ?? 0) & ~known;
  return others === 0
    ? undefined
    : fieldError(['flags'], 'FLAG_UNSUPPORTED', `This server does not do this yet: leave out ${others} of the flags.`);
};

const refuseUnsupported = (fields: Content): ParleyError | undefined =>
  refuseNotThere(notThere)(fields) ?? refuseBoth(fields.allowed_mentions) ?? refuseTooLong(fields.embeds ?? []);
const NOTHING_SAID = { content: '', embeds: [] };

const bodyOf = (fields: Content) => ({ content: fields.content ?? '', embeds: fields.embeds ?? [] });

/** The mentioned users who exist and do not block the author. */
const knownMentions = async (deps: CommandDeps, author: string, content: string): Promise<ReadonlySet<string>> => {
  if (!content.includes('@')) return NOBODY;
  const { guilds } = deps.views;
  const users = (await guilds.users(mentionsIn(content, ONLY_USERS, NOTHING_ELSE).users)).map(({ id }) => id);
  const blockers = await blockersOf(guilds, author, users);
  return new Set(users.filter((id) => !blockers.has(id)));
};

/**
 * The rights of a command on a channel: the caller's place in its guild. The overwrites are in the channel's own state.
 */
export const actorInChannel = (
  { fields, context }: Asked<{ readonly channel_id: string }>,
  deps: CommandDeps,
): Soon<Result<CallerInChannel>> => {
  const actor = actorIn(deps.views.guilds, context.actor.userId, fields.channel_id, deps.now());
  return soon(actor, unlessUnknown);
};

const unlessUnknown = (actor: CallerInChannel | undefined): Result<CallerInChannel> =>
  actor === undefined ? refused('unknownChannel') : either.right(actor);

/** Whether somebody does not block the author. */
const listensTo = async (deps: CommandDeps, author: string, userId: string | undefined): Promise<boolean> =>
  userId === undefined || (await blockersOf(deps.views.guilds, author, [userId])).size === 0;

const factsOfMessage = async (deps: CommandDeps, of: t.TypeOf<typeof OnMessage>) => {
  const about: About = { messageId: of.message_id };
  return { about, stored: await storedFacts(deps.timelines, of.channel_id, about) };
};

const openBody = async (
  deps: CommandDeps,
  place: { readonly stream: string; readonly eventId: string },
  sealed: Sealed,
): Promise<MessageBody | undefined> => openAs(MessageBody, await deps.keys.get(sealed.by), place, sealed);

/** What a new message refers to. */
interface Beside {
  readonly knownUsers: ReadonlySet<string>;
  readonly reply: Awaited<ReturnType<typeof factsOfMessage>> | undefined;
  readonly forward: { readonly message: Forwarded | undefined } | undefined;
}

const BESIDE_NOTHING: Beside = { knownUsers: NOBODY, reply: undefined, forward: undefined };

type Referring = Content & {
  readonly channel_id: string;
  readonly message_reference?: t.TypeOf<typeof MessageReference> | null | undefined;
};

const refersToNothing = ({ content, message_reference }: Referring): boolean =>
  message_reference == null && content?.includes('@') !== true;

const besideMessage = async (deps: CommandDeps, author: string, fields: Referring): Promise<Result<Beside>> => {
  const knownUsers = await knownMentions(deps, author, fields.content ?? '');
  const replyTo = repliedTo(fields.message_reference);
  const forwards = toForward(fields.message_reference);
  const forward = forwards && { message: await readable(deps, author, forwards) };
  const reply =
    replyTo === undefined
      ? undefined
      : await factsOfMessage(deps, { channel_id: fields.channel_id, message_id: replyTo });
  return either.right({ knownUsers, reply, forward });
};

const authorOf = async (deps: CommandDeps, channelId: string, messageId: string, since: Since) => {
  const about = { messageId };
  return (await currentFacts(await storedFacts(deps.timelines, channelId, about), about, since))?.author;
};

const isUnknownMessage = (decision: Decision): boolean =>
  either.isLeft(decision) && decision.left.name === 'unknownMessage';

/** The error code that a reference to an unknown message has. */
const replyError = (decision: Decision): Decision =>
  isUnknownMessage(decision)
    ? either.left(fieldError(['message_reference'], 'REPLIES_UNKNOWN_MESSAGE', 'Unknown message'))
    : decision;

/** Refuses what is decided if the guild wants to know its author longer first. Bots are added by those who manage it. */
const unlessTooNew = (
  decision: Decision,
  { guild, member }: Pick<CallerInChannel, 'guild' | 'member'>,
  { now, actor }: { readonly now: number; readonly actor: Actor },
): Decision => {
  if (guild === undefined || member === undefined || actor.kind === 'bot') return decision;
  if (either.isLeft(decision) || decision.right.length === 0) return decision;
  return isTooNew(guild, member, now) ? refuse('tooNewToWrite') : decision;
};

export const sendMessage = command({
  type: 'message.send',
  summary: 'Send a message. With enforce_nonce, the same nonce again returns the first message.',
  route: {
    method: 'POST',
    path: '/channels/:channel_id/messages',
    needsBody: true,
    status: 200,
    answers: 'The message.',
    answer: Message,
  },
  params: OnChannel,
  body: t.partial({
    ...content,
    nonce: optional(Nonce),
    enforce_nonce: optional(t.boolean),
    flags: optional(Flags),
    message_reference: optional(MessageReference),
  }),
  structural: false,
  check: (fields) => refuseUnsupported(fields) ?? refuseOtherFlags(fields.flags, SETTABLE) ?? refuseReference(fields),
  limit: { bucket: 'send', key: ({ channel_id }, { userId }) => `${userId}:${channel_id}` },
  keyIn: ({ nonce, enforce_nonce }, { userId }) =>
    enforce_nonce === true && nonce !== null && nonce !== undefined ? nonceKey(userId, nonce) : undefined,
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorInChannel,
  prepare: ({ fields, context }, deps): Soon<Result<Beside>> =>
    refersToNothing(fields) ? either.right(BESIDE_NOTHING) : besideMessage(deps, context.actor.userId, fields),
  decide: (state: channel.ChannelState, { rights, prepared, since }, { fields, context, cause }, deps) => {
    const { knownUsers, reply, forward } = prepared;
    const post = (to: channel.Post['reply']) =>
      channel.post(
        {
          // Not `...rights`: a spread before many fields costs more than the whole decision.
          userId: rights.userId,
          guild: rights.guild,
          member: rights.member,
          blocked: rights.blocked,
          parent: rights.parent,
          key: cause.key,
          secondKey: cause.secondKey,
          now: deps.now(),
          low: deps.lowBits(),
          body: bodyOf(fields),
          forward,
          allowed: allowedMentions(fields.allowed_mentions),
          knownUsers,
          reply: to,
          flags: fields.flags ?? 0,
          nonce: fields.nonce ?? null,
        },
        state,
      );
    const paced = (decision: Decision) =>
      inSlowmode(unlessTooNew(decision, rights, { now: deps.now(), actor: context.actor }), state, rights, {
        deps,
        channelId: fields.channel_id,
        actor: context.actor,
      });
    if (reply === undefined) return paced(replyError(post(undefined)));
    const wrong = inOtherGuild(fields.message_reference, rights.guild?.id ?? null);
    return currentFacts(reply.stored, reply.about, since).then(async (message) => {
      const mention =
        tellsRepliedTo(fields.allowed_mentions) && (await listensTo(deps, rights.userId, message?.author));
      const decision = post({ message, mention });
      const isPlain = isUnknownMessage(decision) && fields.message_reference?.fail_if_not_exists === false;
      return paced(unlessRepeated(wrong, state, cause, isPlain ? post(undefined) : replyError(decision)));
    });
  },
  waitsFor: 'views-when-repeated',
  // In a thread its author may enter it first.
  result: 'message-posted',
  answer: ({ rights, prepared, done, event }, { fields, context }, deps): Soon<Result<Answer>> => {
    if (event?.type !== 'message-posted') return refused('keyReused');
    const guildId = rights.guild?.id ?? null;
    if (done.events.length > 0) {
      const forwarded = prepared.forward?.message;
      const said = forwarded === undefined ? bodyOf(fields) : { ...bodyOf(fields), forwarded };
      return either.right({ kind: 'posted', event, guildId, said });
    }
    // A message deleted since then is answered as deleted: its text is not opened again, not even for its author.
    return deps.timelines
      .message(fields.channel_id, event.data.messageId, context.actor.userId)
      .then((row) =>
        either.right(
          row?.deleted === true ? { kind: 'row', row } : { kind: 'posted', event, guildId, said: undefined },
        ),
      );
  },
});

export const editMessage = command({
  type: 'message.edit',
  summary: "Edit a message of your own. Moderators hide the embeds of other people's by `flags`.",
  route: {
    method: 'PATCH',
    path: '/channels/:channel_id/messages/:message_id',
    status: 200,
    answers: 'The message as edited.',
    answer: Message,
  },
  params: OnMessage,
  body: t.partial({ ...content, flags: optional(Flags) }),
  structural: false,
  check: (fields) => refuseUnsupported(fields) ?? refuseOtherFlags(fields.flags, EDITABLE),
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorInChannel,
  prepare: async ({ fields: { channel_id, message_id, content: text }, context }, deps) => {
    const knownUsers = await knownMentions(deps, context.actor.userId, text ?? '');
    const facts = await factsOfMessage(deps, { channel_id, message_id });
    const replyTo = text === undefined ? null : (facts.stored.facts?.replyTo ?? null);
    const repliedTo = replyTo === null ? undefined : await authorOf(deps, channel_id, replyTo, nothingSince);
    return either.right({ knownUsers, facts, repliedTo });
  },
  decide: async (state: channel.ChannelState, { rights, prepared, since }, { fields, cause }, deps) => {
    const { knownUsers, facts } = prepared;
    const { channel_id, content: text, embeds, flags, allowed_mentions: sent } = fields;
    const message = await currentFacts(facts.stored, facts.about, since);
    let former: MessageBody | undefined;
    let { repliedTo } = prepared;
    if (message !== undefined && message.author === rights.userId) {
      const place = { stream: channelStream(channel_id), eventId: message.sealedIn };
      if (message.sealed !== null) former = await openBody(deps, place, message.sealed);
      // Posted a moment ago, it was not known when this was prepared.
      if (text !== undefined && message.replyTo !== null)
        repliedTo ??= await authorOf(deps, channel_id, message.replyTo, since);
      if (!(await listensTo(deps, rights.userId, repliedTo))) repliedTo = undefined;
    }
    return channel.edit(
      {
        ...rights,
        key: cause.key,
        message,
        patch: { content: text, embeds, flags },
        former: former ?? NOTHING_SAID,
        allowed: allowedMentions(sent),
        knownUsers,
        repliedTo,
        tells: sent === undefined || sent === null ? undefined : tellsRepliedTo(sent),
      },
      state,
    );
  },
  answer: async ({ event }, { fields, context }, deps) => {
    if (event === undefined || event.type === 'embeds-suppressed') {
      // The message is already as wanted, or keeps its text.
      const row = await deps.timelines.message(fields.channel_id, fields.message_id, context.actor.userId);
      return row === undefined ? refused('unknownMessage') : either.right({ kind: 'row', row });
    }
    if (event.type !== 'message-edited') return refused('keyReused');
    const row = await deps.views.guilds.channel(fields.channel_id);
    return either.right({ kind: 'edited', event, guildId: row?.guildId ?? null });
  },
});

export const deleteMessage = command({
  type: 'message.delete',
  summary: 'Delete a message.',
  route: {
    method: 'DELETE',
    path: '/channels/:channel_id/messages/:message_id',
    status: 204,
    answers: 'Nothing.',
  },
  params: OnMessage,
  structural: false,
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorInChannel,
  prepare: async ({ fields }, deps) => either.right(await factsOfMessage(deps, fields)),
  decide: async (state: channel.ChannelState, { rights, prepared, since }, { cause }) => {
    const message = await currentFacts(prepared.stored, prepared.about, since);
    return channel.remove({ ...rights, key: cause.key, message }, state);
  },
});
