/** Sending, editing, deleting, reacting: commands on the stream of a channel. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as channel from '../../domain/channel.ts';
import { allowedMentions, mentionsIn, tellsRepliedTo } from '../../domain/mentions.ts';
import { actorIn } from '../../projections/views/guild-views/access.ts';
import { decodeOrUndefined } from '../../schemas/codecs.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import { fieldError, type ParleyError } from '../../schemas/errors.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { MessageBody } from '../../schemas/events/channel.ts';
import { channelStream } from '../../schemas/streams.ts';
import { openText } from '../../vault/sealing.ts';
import {
  type Answer,
  type CommandDeps,
  causeOf,
  followed,
  type Gate,
  type Handler,
  outcome,
  refused,
} from '../command.ts';
import type { Done } from '../mailbox.ts';
import type { CommandContext } from '../port.ts';
import { type About, currentFacts, storedFacts } from '../states.ts';

const NOBODY: ReadonlySet<string> = new Set();
const ALL_WRITTEN = { everyone: false, users: true } as const;
const EMBEDS = 10;
const EMBED_BYTES = 8192;

const bodyOf = (body: {
  content?: string | null | undefined;
  embeds?: Record<string, unknown>[] | null | undefined;
}) => {
  const content = body.content ?? '';
  const embeds = body.embeds ?? [];
  return { content, embeds };
};

const embedError = (embeds: readonly unknown[]): ParleyError | undefined => {
  if (embeds.length > EMBEDS)
    return fieldError(['embeds'], 'BASE_TYPE_MAX_LENGTH', `Must be ${EMBEDS} or fewer in length.`);
  if (embeds.length > 0 && Buffer.byteLength(JSON.stringify(embeds)) > EMBED_BYTES)
    return fieldError(['embeds'], 'MAX_EMBED_SIZE_EXCEEDED', `Embeds must not exceed ${EMBED_BYTES} bytes as JSON.`);
  return undefined;
};

/** Of the users a text mentions, those who exist. */
const knownMentions = async (deps: CommandDeps, content: string): Promise<ReadonlySet<string>> => {
  const { users } = mentionsIn(content, ALL_WRITTEN, false);
  return new Set((await deps.views.guilds.users(users)).map((user) => user.id));
};

/** Runs what every command on a channel begins with, then what this one needs besides. */
const prepared = async <A>(
  deps: CommandDeps,
  userId: string,
  channelId: string,
  gate: Gate,
  more: () => Promise<A>,
): Promise<Either<ParleyError, { actor: channel.ChannelActor } & A>> => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const actor = await actorIn(deps, userId, channelId);
  if (actor === undefined) return refused('unknownChannel');
  return either.right({ actor, ...(await more()) });
};

const openBody = async (deps: CommandDeps, event: ParleyEvent): Promise<MessageBody | undefined> => {
  if (event.type !== 'message-posted' && event.type !== 'message-edited') return undefined;
  const key = await deps.keys.get(event.data.sealed.by);
  const text = openText(key, { stream: event.stream, eventId: event.id }, event.data.sealed);
  return text === undefined ? undefined : decodeOrUndefined(MessageBody, JSON.parse(text));
};

/** A message sent before that was deleted since, as it is shown now: its text is not opened again, for its author neither. */
const deletedSince = async (deps: CommandDeps, channelId: string, messageId: string, userId: string) => {
  const row = await deps.timelines.message(channelId, messageId, userId);
  return row?.deleted === true ? (await deps.presenter.messages([row]))[0] : undefined;
};

/** Whether an event says what the caller says now. A text whose key is gone cannot be compared; the first still counts. */
const saysThis = async (deps: CommandDeps, event: ParleyEvent, body: MessageBody): Promise<boolean> => {
  const first = await openBody(deps, event);
  return first === undefined || JSON.stringify(first) === JSON.stringify(body);
};

/** The event a known key belongs to, refused where the caller now says something else under the same key. */
const firstOf = async (
  deps: CommandDeps,
  context: CommandContext,
  stream: string,
  done: Done,
  same: (event: ParleyEvent) => boolean | Promise<boolean>,
): Promise<Either<ParleyError, ParleyEvent | undefined>> => {
  if (done.events.length > 0 || done.known === undefined) return either.right(done.events[0]);
  const [event] = await deps.log.readStream({ stream, from: done.known, limit: 1 });
  if (event === undefined || context.onOtherContent === 'first' || (await same(event))) return either.right(event);
  return refused('keyReused');
};

export const sendMessage: Handler<CommandBody<'message.send'>> = async (deps, context, command, gate) => {
  const stream = channelStream(command.channel_id);
  const body = bodyOf(command);
  const wrong = embedError(body.embeds);
  const cause = causeOf(context, 'message.send');
  const { userId } = context.actor;
  const replyTo = command.message_reference?.message_id;
  const optionalReply = command.message_reference?.fail_if_not_exists === false;
  const about: About = { messageId: replyTo ?? '' };
  let actor: channel.ChannelActor | undefined;
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => {
      if (wrong !== undefined) return either.left(wrong);
      const passed = await gate();
      if (either.isLeft(passed)) return passed;
      actor = await actorIn(deps, userId, command.channel_id);
      if (actor === undefined) return refused('unknownChannel');
      return either.right({
        actor,
        knownUsers: body.content.includes('@') ? await knownMentions(deps, body.content) : NOBODY,
        replied: replyTo === undefined ? undefined : await storedFacts(deps.timelines, command.channel_id, about),
      });
    },
    decide: (state: channel.ChannelState, { actor, knownUsers, replied }, since) => {
      const post = (reply: channel.Post['reply']) =>
        channel.post(
          {
            // Not `...actor`: a spread before many fields costs more than the whole decision.
            userId: actor.userId,
            guild: actor.guild,
            isMember: actor.isMember,
            key: cause.key,
            now: deps.now(),
            low: deps.lowBits(),
            body,
            allowed: allowedMentions(command.allowed_mentions),
            knownUsers,
            reply,
            flags: command.flags ?? 0,
            nonce: command.nonce ?? null,
          },
          state,
        );
      if (replied === undefined) return post(undefined);
      return currentFacts(replied, about, since).then((message) => {
        const missing = message === undefined || message.deleted;
        if (missing && optionalReply) return post(undefined);
        return post({ message, mention: tellsRepliedTo(command.allowed_mentions) });
      });
    },
  });
  if (either.isLeft(result)) {
    const unknownReply = result.left.name === 'unknownMessage';
    return unknownReply
      ? either.left(fieldError(['message_reference'], 'REPLIES_UNKNOWN_MESSAGE', 'Unknown message'))
      : result;
  }
  const first = await firstOf(deps, context, stream, result.right, (event) => {
    if (event.type !== 'message-posted') return false;
    const sameReply = event.data.replyTo === (replyTo ?? null) || (event.data.replyTo === null && optionalReply);
    return sameReply && saysThis(deps, event, body);
  });
  if (either.isLeft(first)) return first;
  if (first.right?.type !== 'message-posted') return refused('keyReused');
  const isNew = result.right.events.length > 0;
  if (!isNew) {
    const ready = await followed(deps, result.right.position);
    if (either.isLeft(ready)) return ready;
    const deleted = await deletedSince(deps, command.channel_id, first.right.data.messageId, userId);
    if (deleted !== undefined) return outcome(stream, result.right, deleted);
  }
  const guildId = actor?.guild?.id ?? null;
  return outcome(stream, result.right, await deps.presenter.posted(first.right, guildId, isNew ? body : undefined));
};

export const editMessage: Handler<CommandBody<'message.edit'>> = async (deps, context, command, gate) => {
  const stream = channelStream(command.channel_id);
  const body = bodyOf(command);
  const wrong = embedError(body.embeds);
  const cause = causeOf(context, 'message.edit');
  const about: About = { messageId: command.message_id };
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => {
      if (wrong !== undefined) return either.left(wrong);
      return prepared(deps, context.actor.userId, command.channel_id, gate, async () => ({
        knownUsers: await knownMentions(deps, body.content),
        stored: await storedFacts(deps.timelines, command.channel_id, about),
      }));
    },
    decide: async (state: channel.ChannelState, { actor, knownUsers, stored }, since) =>
      channel.edit(
        {
          ...actor,
          key: cause.key,
          message: await currentFacts(stored, about, since),
          body,
          allowed: allowedMentions(command.allowed_mentions),
          knownUsers,
        },
        state,
      ),
  });
  if (either.isLeft(result)) return result;
  const first = await firstOf(
    deps,
    context,
    stream,
    result.right,
    (event) =>
      event.type === 'message-edited' && event.data.messageId === command.message_id && saysThis(deps, event, body),
  );
  if (either.isLeft(first)) return first;
  if (first.right?.type !== 'message-edited') return refused('keyReused');
  // The answer is the whole message, which its timeline has once it holds the edit.
  const ready = await followed(deps, first.right.position);
  if (either.isLeft(ready)) return ready;
  const guild = await deps.views.guilds.channel(command.channel_id);
  const message = await deps.presenter.edited(first.right, guild?.guildId ?? null);
  return message === undefined ? refused('unknownMessage') : outcome(stream, result.right, message);
};

export const deleteMessage: Handler<CommandBody<'message.delete'>> = async (deps, context, command, gate) =>
  onMessage(deps, context, 'message.delete', command, gate, channel.remove);

export async function onMessage(
  deps: CommandDeps,
  context: CommandContext,
  kind: string,
  command: { readonly channel_id: string; readonly message_id: string; readonly emoji?: string },
  gate: Gate,
  decide: typeof channel.remove,
): Promise<Answer> {
  const stream = channelStream(command.channel_id);
  const cause = causeOf(context, kind);
  const { userId } = context.actor;
  const about: About =
    command.emoji === undefined
      ? { messageId: command.message_id }
      : { messageId: command.message_id, userId, emoji: command.emoji };
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: () =>
      prepared(deps, userId, command.channel_id, gate, async () => ({
        stored: await storedFacts(deps.timelines, command.channel_id, about),
      })),
    decide: async (state: channel.ChannelState, { actor, stored }, since) =>
      decide({ ...actor, key: cause.key, message: await currentFacts(stored, about, since) }, state),
  });
  if (either.isLeft(result)) return result;
  const first = await firstOf(deps, context, stream, result.right, ({ data }) => {
    const sameMessage = 'messageId' in data && data.messageId === command.message_id;
    return sameMessage && ('emoji' in data ? data.emoji : undefined) === command.emoji;
  });
  return either.isLeft(first) ? first : outcome(stream, result.right, null);
}
