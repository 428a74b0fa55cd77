/** Direct channels, read markers, typing, applications: commands about one or two users. */
import { either } from 'fp-ts';
import { type DirectState, openDirect as decideDirect } from '../../domain/direct.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import { markRead, type ReadState } from '../../domain/read-markers.ts';
import { register, type UserState } from '../../domain/user.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import { fieldError } from '../../schemas/errors.ts';
import { channelStream, directStream, readStream, userStream } from '../../schemas/streams.ts';
import { causeOf, followed, type Handler, outcome, refused, settled } from '../handler.ts';

export const openDirect: Handler<CommandBody<'dm.create'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const { userId } = context.actor;
  const other = command.recipient_id;
  if (other === userId) return refused('cannotMessageUser');
  if ((await deps.views.guilds.user(other)) === undefined) return refused('unknownUser');
  const stream = directStream(userId, other);
  const channelId = deps.ids(deps.now());
  const cause = causeOf(context, 'dm.create');
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: DirectState) => decideDirect({ channelId, participants: [userId, other] }, state),
  });
  if (either.isLeft(result)) return result;
  const ready = await settled(deps, stream, cause.key, result.right);
  if (either.isLeft(ready)) return ready;
  const [opened] = await deps.log.readStream({ stream, from: 1, limit: 1 });
  const id = opened?.type === 'dm-opened' ? opened.data.channelId : channelId;
  const row = await deps.views.guilds.channel(id);
  if (row === undefined) return refused('unavailable');
  return outcome(stream, result.right, await deps.presenter.channel(row, userId, await deps.views.unread.head(id)));
};

export const markChannelRead: Handler<CommandBody<'channel.read'>> = async (deps, context, command, gate) => {
  const { userId } = context.actor;
  const stream = readStream(userId);
  const channelId = command.channel_id;
  const result = await deps.mailboxes.run({
    stream,
    cause: causeOf(context, 'channel.read'),
    prepare: async () => {
      const passed = await gate();
      if (either.isLeft(passed)) return passed;
      if ((await deps.access.channel(userId, channelId)) === undefined) return refused('unknownChannel');
      const message = await deps.timelines.message(channelId, command.message_id, userId);
      if (message !== undefined) return either.right(message.ordinal);
      // Beyond the head: everything there is counts as read.
      const head = await deps.views.unread.head(channelId);
      const beyond = head.messageId !== null && BigInt(command.message_id) > BigInt(head.messageId);
      return beyond ? either.right(head.ordinal) : refused('unknownMessage');
    },
    decide: (state: ReadState, ordinal) => markRead({ userId, channelId, ordinal }, state),
  });
  return either.isLeft(result) ? result : outcome(stream, result.right, { token: null });
};

export const startTyping: Handler<CommandBody<'typing.start'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const { userId } = context.actor;
  const access = await deps.access.channel(userId, command.channel_id);
  if (access === undefined) return refused('unknownChannel');
  if (!allows(access.permissions, Permission.sendMessages)) return refused('missingPermissions');
  const { channel } = access;
  deps.ephemeral.typing({ channelId: channel.id, guildId: channel.guildId, userId, time: deps.now() });
  return either.right({
    position: deps.views.progress('guild-views').checkpoint(),
    stream: channelStream(channel.id),
    sequence: 0,
    result: null,
  });
};

export const createApplication: Handler<CommandBody<'application.create'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  if (context.actor.kind === 'bot') return refused('botsCannot');
  const name = command.name.trim();
  if (name.length < 2)
    return either.left(fieldError(['name'], 'BASE_TYPE_BAD_LENGTH', 'Must be at least 2 characters long.'));
  const cause = causeOf(context, 'application.create');
  const userId = await deps.creation.id(cause.key, userStream);
  const stream = userStream(userId);
  await deps.vault.createKey(userId);
  const token = await deps.tokens.issueForBot(userId);
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: UserState) =>
      register(
        { userId, kind: 'bot', ownerId: context.actor.userId, profile: { username: name, globalName: null } },
        state,
      ),
  });
  if (either.isLeft(result)) return result;
  const ready = await followed(deps, result.right.position);
  if (either.isLeft(ready)) return ready;
  const user = await deps.presenter.user(userId);
  return outcome(stream, result.right, {
    id: userId,
    name,
    owner: { id: context.actor.userId },
    bot: { ...user, token },
  });
};
