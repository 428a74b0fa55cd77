/** The HTTP writes: each is a command of the same name, its fields taken from path and body. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { CommandBus } from '../commands/port.ts';
import {
  ApplicationBody,
  BotBody,
  ChannelBody,
  type Command,
  type CommandBody,
  type CommandType,
  DirectBody,
  EditBody,
  GuildBody,
  InviteBody,
  OnChannel,
  OnGuild,
  OnInvite,
  OnMessage,
  OnReaction,
  SendBody,
} from '../schemas/commands/index.ts';
import { type Route, type RouteRequest, route } from '../schemas/http/route.ts';
import { limitHeaders } from './errors.ts';

interface CommandRoute<K extends CommandType> {
  readonly method: Route['method'];
  readonly path: string;
  readonly summary: string;
  readonly command: K;
  readonly params?: t.Mixed;
  readonly body?: t.Mixed;
  readonly status: 200 | 201 | 204;
  readonly answers: string;
}

const definitions: readonly CommandRoute<CommandType>[] = [
  {
    method: 'POST',
    path: '/channels/:channel_id/messages',
    summary: 'Send a message. With enforce_nonce, the same nonce again returns the first message.',
    command: 'message.send',
    params: OnChannel,
    body: SendBody,
    status: 200,
    answers: 'The message.',
  },
  {
    method: 'PATCH',
    path: '/channels/:channel_id/messages/:message_id',
    summary: 'Edit a message of your own.',
    command: 'message.edit',
    params: OnMessage,
    body: EditBody,
    status: 200,
    answers: 'The message as edited.',
  },
  {
    method: 'DELETE',
    path: '/channels/:channel_id/messages/:message_id',
    summary: 'Delete a message.',
    command: 'message.delete',
    params: OnMessage,
    status: 204,
    answers: 'Nothing.',
  },
  {
    method: 'PUT',
    path: '/channels/:channel_id/messages/:message_id/reactions/:emoji/@me',
    summary: 'React with a Unicode emoji.',
    command: 'reaction.add',
    params: OnReaction,
    status: 204,
    answers: 'Nothing.',
  },
  {
    method: 'DELETE',
    path: '/channels/:channel_id/messages/:message_id/reactions/:emoji/@me',
    summary: 'Take your reaction back.',
    command: 'reaction.remove',
    params: OnReaction,
    status: 204,
    answers: 'Nothing.',
  },
  {
    method: 'POST',
    path: '/channels/:channel_id/messages/:message_id/ack',
    summary: 'You have read everything up to this message.',
    command: 'channel.read',
    params: OnMessage,
    body: t.UnknownRecord,
    status: 200,
    answers: '{token: null}',
  },
  {
    method: 'POST',
    path: '/channels/:channel_id/typing',
    summary: 'You are typing, for ten seconds.',
    command: 'typing.start',
    params: OnChannel,
    status: 204,
    answers: 'Nothing.',
  },
  {
    method: 'POST',
    path: '/channels/:channel_id/invites',
    summary: 'Create an invite. max_age in seconds (default a day, 0 never expires), max_uses (0 any number).',
    command: 'invite.create',
    params: OnChannel,
    body: InviteBody,
    status: 200,
    answers: 'The invite.',
  },
  {
    method: 'POST',
    path: '/invites/:code',
    summary: 'Join the guild of an invite.',
    command: 'guild.join',
    params: OnInvite,
    status: 200,
    answers: 'The invite.',
  },
  {
    method: 'POST',
    path: '/guilds',
    summary: 'Create a guild, with a first text channel.',
    command: 'guild.create',
    body: GuildBody,
    status: 201,
    answers: 'The guild and its channels.',
  },
  {
    method: 'DELETE',
    path: '/users/@me/guilds/:guild_id',
    summary: 'Leave a guild.',
    command: 'guild.leave',
    params: OnGuild,
    status: 204,
    answers: 'Nothing.',
  },
  {
    method: 'POST',
    path: '/guilds/:guild_id/channels',
    summary: 'Create a text channel.',
    command: 'channel.create',
    params: OnGuild,
    body: ChannelBody,
    status: 201,
    answers: 'The channel.',
  },
  {
    method: 'POST',
    path: '/guilds/:guild_id/bots',
    summary: 'Let a bot into a guild.',
    command: 'bot.add',
    params: OnGuild,
    body: BotBody,
    status: 204,
    answers: 'Nothing.',
  },
  {
    method: 'POST',
    path: '/users/@me/channels',
    summary: 'Open the direct channel with somebody.',
    command: 'dm.create',
    body: DirectBody,
    status: 200,
    answers: 'The channel.',
  },
  {
    method: 'POST',
    path: '/applications',
    summary: 'Create an application and its bot. The token is shown this once.',
    command: 'application.create',
    body: ApplicationBody,
    status: 201,
    answers: '{id, name, bot: {id, token}}',
  },
];

/** The key that makes a retry safe: a nonce the caller asked to be enforced. */
const keyOf = (body: Partial<CommandBody<'message.send'>>): string | null =>
  body.enforce_nonce === true && body.nonce !== null && body.nonce !== undefined ? String(body.nonce) : null;

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const commandRoute = (dispatcher: CommandBus, definition: CommandRoute<CommandType>): Route => {
  const { method, path, summary, params, answers, status, command: type } = definition;
  const handle = async (request: RouteRequest<unknown, unknown, unknown>) => {
    // Path and body are decoded each by its codec, which together are the command's; the path has the last word.
    const body = { ...record(request.body), ...record(request.params) };
    const traceparent = request.headers.traceparent;
    const context = {
      actor: request.actor,
      key: type === 'message.send' ? keyOf(body) : null,
      onOtherContent: 'first' as const,
      counted: true,
      correlationId: request.correlationId,
      ...(typeof traceparent === 'string' ? { traceparent } : {}),
    };
    const { outcome, limit } = await dispatcher.submit(context, { type, body } as Command);
    if (either.isLeft(outcome)) return outcome;
    const headers = limit === undefined ? {} : limitHeaders(limit, Date.now());
    return either.right(status === 204 ? { status, headers } : { status, body: outcome.right.result, headers });
  };
  return route({
    method,
    path,
    summary,
    access: 'user',
    ...(params === undefined ? {} : { params }),
    ...(definition.body === undefined ? {} : { body: definition.body }),
    answers,
    handle,
  });
};

export const commandRoutes = (dispatcher: CommandBus): Route[] =>
  definitions.map((definition) => commandRoute(dispatcher, definition));
