/** The channels of a guild, and typing in any channel. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { type ChannelState, deniedInGuild } from '../../domain/channel.ts';
import * as settings from '../../domain/channel-settings.ts';
import * as guild from '../../domain/guild.ts';
import { MAX_OVERWRITES, unknownTarget } from '../../domain/overwrites.ts';
import { allows, allowsAll, Permission } from '../../domain/permissions.ts';
import { deleteThread, editThread } from '../../domain/thread.ts';
import { isBlocked } from '../../projections/views/guild-views/access.ts';
import { revisedThread } from '../../projections/views/guild-views/revised.ts';
import {
  type ChannelRow,
  groupAs,
  rowOfChannel,
  rowOfGroup,
  withDetails,
} from '../../projections/views/guild-views/view.ts';
import type { ChannelHead } from '../../projections/views/unread/view.ts';
import { integer, list, optional, Snowflake, text, visibleText } from '../../schemas/codecs.ts';
import { type ParleyError, parleyError } from '../../schemas/errors.ts';
import type { EventData, ParleyEvent } from '../../schemas/events/catalogue.ts';
import { type Overwrite, PLAIN } from '../../schemas/events/channel.ts';
import { OnChannel, OnGuild } from '../../schemas/http/route.ts';
import { Channel } from '../../schemas/http/shapes.ts';
import { channelStream, guildStream } from '../../schemas/streams.ts';
import { type Asked, type CommandDeps, command, NOTHING, type Result, refused, unlessRepeated } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import type { Answer } from '../port.ts';
import { channelStep, placeStep } from '../processes.ts';
import { actorOrNobody, asksForGroup, editGroup, groupFields, leaveGroup } from './groups.ts';
import { actorInChannel } from './messages.ts';
import { GivenOverwrite, overwriteOf, targetIn } from './overwrites.ts';
import { asksForThread, threadFields, threadPatch, unarchivesTooMany } from './thread-fields.ts';

/** What a channel does not have here. */
const notThere = {
  ...{ bitrate: [0], user_limit: [0] },
  ...{ rtc_region: [], video_quality_mode: [1], default_auto_archive_duration: [], default_reaction_emoji: [] },
  ...{
    available_tags: [],
    default_sort_order: [],
    default_forum_layout: [0],
    flags: [0],
    icon_emoji: [],
    theme_color: [],
  },
  ...{ default_thread_rate_limit_per_user: [0] },
};

/** A channel with what was last said in it and last pinned. */
export const channelAnswer = async ({ views }: CommandDeps, channel: ChannelRow, viewer: string): Promise<Answer> => {
  const { id } = channel;
  const [head, pinned] = await Promise.all([views.unread.head(id), views.pins.lastPinned([id])]);
  return { kind: 'channel', channel, viewer, head, lastPinned: pinned.get(id) };
};

/** The head of a channel whose last event is a message among these. */
const headAfter = (channelId: string, events: readonly ParleyEvent[]): { readonly head?: ChannelHead } => {
  const last = events.at(-1);
  if (last?.type !== 'message-posted') return {};
  const { sequence, position, data } = last;
  return { head: { channelId, ordinal: data.ordinal, messageId: data.messageId, sequence, position } };
};

export const ChannelName = visibleText(1, 100, 'name');

/** Discord's numbers of what a channel of a guild may be. */
const KINDS = { 0: 'text', 4: 'category', 5: 'announcement' } as const;

export const MAX_POSITION = 2 ** 31 - 1;
/** Six hours, in seconds. */
const MAX_SLOWMODE = 21_600;

const settable = {
  type: optional(t.union([t.literal(0), t.literal(4), t.literal(5)])),
  topic: optional(text(0, 1024, 'topic')),
  nsfw: optional(t.boolean),
  position: optional(integer(0, MAX_POSITION)),
  parent_id: optional(Snowflake),
  rate_limit_per_user: optional(integer(0, MAX_SLOWMODE)),
  permission_overwrites: optional(list(GivenOverwrite, MAX_OVERWRITES, ({ id }) => id)),
};

const NewChannel = t.intersection([t.type({ name: ChannelName }), t.partial(settable)]);

const Edited = t.partial({ name: optional(ChannelName), ...settable });

type Given = t.TypeOf<typeof NewChannel>;

/** Some libraries say 0 for none. */
export const parentOf = (given: string | null): string | null => (given === '0' ? null : given);

/** @param inherited the overwrites of its category, which it has if none are given */
const asked = (
  fields: t.TypeOf<typeof OnGuild> & Given,
  channelId: string,
  inherited: readonly Overwrite[],
): EventData<'channel-requested'> => ({
  ...{ channelId, kind: KINDS[fields.type ?? 0], guildId: fields.guild_id },
  ...{ name: fields.name, topic: fields.topic ?? null },
  ...{ nsfw: fields.nsfw ?? PLAIN.nsfw, position: fields.position ?? PLAIN.position },
  ...{ parentId: parentOf(fields.parent_id ?? null), slowmode: fields.rate_limit_per_user ?? PLAIN.slowmode },
  overwrites: fields.permission_overwrites?.map(overwriteOf) ?? [...inherited],
  participants: [],
});

/** The channels of the guild that the caller sees. */
export const seenChannels = async (
  { fields, context }: Pick<Asked<{ readonly guild_id: string }>, 'fields' | 'context'>,
  deps: CommandDeps,
): Promise<readonly ChannelRow[]> => {
  const access = await deps.access.guild(context.actor.userId, fields.guild_id);
  return access === undefined ? [] : deps.access.visibleChannels(access.guild, access.member);
};

/** Bits that the overwrites say anything about. */
const bitsOf = (overwrites: Given['permission_overwrites']): bigint =>
  (overwrites ?? []).map(overwriteOf).reduce((all, { allow, deny }) => all | BigInt(allow) | BigInt(deny), 0n);

export const createChannel = command({
  type: 'channel.create',
  summary: 'Create a channel: of text (type 0), of announcements (5), or a category (4).',
  route: { method: 'POST', path: '/guilds/:guild_id/channels', status: 201, answers: 'The channel.', answer: Channel },
  params: OnGuild,
  body: NewChannel,
  structural: true,
  check: refuseNotThere(notThere),
  limit: { bucket: 'channelCreate', key: (_, { userId }) => userId },
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: async ({ fields, context }, deps): Promise<Result<{ readonly wrong: ParleyError | undefined }>> => {
    const access = await deps.access.guild(context.actor.userId, fields.guild_id);
    if (access === undefined) return refused('unknownGuild');
    // Nobody gives or takes what they do not have in the guild.
    const may =
      allows(access.permissions, Permission.manageChannels) &&
      allowsAll(access.permissions, bitsOf(fields.permission_overwrites));
    if (!may) return refused('missingPermissions');
    for (const given of fields.permission_overwrites ?? []) {
      const target = await targetIn(access.guild, given.id, deps);
      // A channel is made ready for people who have yet to join.
      const joinsLater = target === undefined && given.type === 1;
      const unknown = joinsLater ? undefined : unknownTarget(overwriteOf(given), target);
      if (unknown !== undefined) return either.right({ wrong: parleyError(unknown) });
    }
    return either.right({ wrong: undefined });
  },
  prepare: async (request, deps) => {
    const seen = await seenChannels(request, deps);
    const all = await deps.views.guilds.channelsOf(request.fields.guild_id);
    const category = seen.find(({ id }) => id === request.fields.parent_id);
    // A category that the caller does not see is none for them.
    const isHidden = ({ id, kind, isDeleted }: ChannelRow) =>
      kind === 'category' && isDeleted !== true && !seen.some((one) => one.id === id);
    return either.right({ known: all.filter((row) => !isHidden(row)), inherited: category?.overwrites ?? [] });
  },
  decide: (state: guild.GuildState, { rights, prepared: { known, inherited } }, { fields, cause }, deps) => {
    const channel = asked(fields, deps.ids(deps.now()), inherited);
    const decision = guild.requestChannel({ channel, known, key: cause.key }, state);
    return unlessRepeated(rights.wrong, state, cause, decision);
  },
  // The reason was given for this event, and is sealed in it.
  follow: { 'channel-requested': ({ data: { reason: _, ...data } }) => [channelStep(data)] },
  waitsFor: 'processes',
  answer: async ({ event }, { context }, deps) => {
    if (event?.type !== 'channel-requested') return refused('keyReused');
    const { guilds } = deps.views;
    const { channelId, guildId } = event.data;
    const row = await guilds.channel(channelId);
    const others = (await guilds.channelsOf(guildId!)).filter(({ id }) => id !== channelId);
    const channel = row ?? rowOfChannel(event.data, event.position, others.length);
    return either.right({ kind: 'channel', channel, viewer: context.actor.userId });
  },
  names: ({ data }) => ('channelId' in data ? channelStream(data.channelId) : undefined),
});

/** @param fields null empties what it is given for; a name cannot be empty */
const patchOf = (fields: t.TypeOf<typeof Edited>) => ({
  ...{ name: fields.name ?? undefined, topic: fields.topic, nsfw: fields.nsfw, position: fields.position },
  parentId: fields.parent_id === undefined ? undefined : parentOf(fields.parent_id),
  slowmode: fields.rate_limit_per_user,
});

/** Whether it asks for what only channels of guilds have. */
const isOfGuild = (fields: t.TypeOf<typeof Edited> & Parameters<typeof asksForThread>[0]): boolean =>
  asksForThread(fields) ||
  Object.keys(settable).some((name) => (fields[name as keyof typeof settable] ?? undefined) !== undefined);

/** Whom the overwrites are about that are there and that are asked for. */
const targetsOf = async (channelId: string, given: Given['permission_overwrites'], deps: CommandDeps) => {
  const row = await deps.views.guilds.channel(channelId);
  const guild = row?.guildId == null ? undefined : await deps.views.guilds.guild(row.guildId);
  const ids = new Set([...(row?.overwrites ?? []), ...(given ?? [])].map(({ id }) => id));
  const found = await Promise.all([...ids].map(async (id) => [id, await targetIn(guild, id, deps)] as const));
  return new Map(found.flatMap(([id, target]) => (target === undefined ? [] : [[id, target] as const])));
};

export const editChannel = command({
  type: 'channel.edit',
  summary:
    "Change a channel's name, topic, place and category, its overwrites, how fast people may write, and whether it is for adults only; a thread's name, and archive and lock it; a group's name and owner.",
  route: { method: 'PATCH', path: '/channels/:channel_id', status: 200, answers: 'The channel.', answer: Channel },
  params: OnChannel,
  body: t.intersection([Edited, t.partial(threadFields), t.partial(groupFields)]),
  structural: true,
  holdsUp: true,
  check: refuseNotThere({ ...notThere, icon: [] }),
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorInChannel,
  prepare: async ({ fields, context }, deps) => {
    const { channel_id, parent_id, permission_overwrites: given } = fields;
    const isMoved = parent_id !== undefined && parent_id !== null;
    const row = isMoved ? await deps.views.guilds.channel(channel_id) : undefined;
    const known = row?.guildId == null ? [] : await seenChannels({ fields: { guild_id: row.guildId }, context }, deps);
    const targets = given == null ? undefined : await targetsOf(channel_id, given, deps);
    return either.right({ known, targets, isFull: await unarchivesTooMany(fields, deps) });
  },
  decide: (state: ChannelState, { rights, prepared: { known, targets, isFull } }, { fields, cause }, deps) => {
    if (state.settings?.kind === 'group')
      return isOfGuild(fields)
        ? refused('wrongChannelType')
        : editGroup({ rights, cause, channelId: fields.channel_id }, fields, state, deps);
    if (state.settings?.thread !== undefined)
      return editThread({ ...rights, isFull, key: cause.key, patch: threadPatch(fields), now: deps.now() }, state);
    // Whoever may not see the channel does not learn of what type it is.
    if (asksForThread(fields) || asksForGroup(fields))
      return deniedInGuild(rights, state, 0n) ?? refused('wrongChannelType');
    const { channel_id: channelId, type, permission_overwrites: given } = fields;
    const overwrites = targets === undefined ? undefined : { asked: given!.map(overwriteOf), targets };
    const patch = patchOf(fields);
    const kind = type == null ? undefined : KINDS[type];
    return settings.editChannel({ ...rights, key: cause.key, channelId, patch, kind, known, overwrites }, state);
  },
  waitsFor: 'views',
  answer: async ({ event, done }, { fields, context }, deps) => {
    const row = await deps.views.guilds.channel(fields.channel_id);
    if (row === undefined) return refused('unknownChannel');
    if (event?.type === 'group-edited') {
      const answer = await channelAnswer(deps, groupAs(row, event.data.group), context.actor.userId);
      // The message about it may be newer than what the counters know.
      return either.right({ ...answer, ...headAfter(row.id, done.events) });
    }
    const channel =
      event?.type === 'thread-edited'
        ? revisedThread(row, { details: event.data.details })
        : withDetails(row, event?.type === 'channel-edited' ? event.data.details : undefined);
    return either.right(await channelAnswer(deps, channel, context.actor.userId));
  },
});

export const deleteChannel = command({
  type: 'channel.delete',
  summary: 'Delete a channel and all that was said in it, or leave a group.',
  route: {
    method: 'DELETE',
    path: '/channels/:channel_id',
    status: 200,
    answers: 'The channel as it was.',
    answer: Channel,
  },
  params: OnChannel,
  structural: true,
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorOrNobody,
  prepare: async ({ fields }, deps) => {
    const row = await deps.views.guilds.channel(fields.channel_id);
    const isCategory = row?.kind === 'category' && row.guildId !== null;
    return either.right(isCategory ? await deps.views.guilds.channelsOf(row.guildId!) : []);
  },
  decide: (state: ChannelState, { rights, prepared: known }, { fields: { channel_id: channelId }, cause }, deps) => {
    if (state.settings?.kind === 'group') return leaveGroup({ rights, cause, channelId }, state, deps);
    return state.settings?.thread === undefined
      ? settings.deleteChannel({ ...rights, key: cause.key, channelId, known }, state)
      : deleteThread({ ...rights, key: cause.key }, state);
  },
  follow: {
    'channel-deleted': ({ data: { channelId: from, guildId, children } }) =>
      children.map((channelId) =>
        placeStep({ channelId, guildId, parentId: null, position: null, overwrites: null, from }),
      ),
  },
  waitsFor: 'processes',
  answer: async ({ event }, { fields, context }, deps) => {
    // Whoever left is shown what they left.
    if (event?.type === 'recipient-removed') {
      const left = rowOfGroup(event.data.channelId, event.data.group);
      return either.right({ kind: 'channel', channel: left, viewer: context.actor.userId });
    }
    const channel = await deps.views.guilds.channel(fields.channel_id);
    if (channel === undefined) return refused('unknownChannel');
    return either.right({ kind: 'channel', channel, viewer: context.actor.userId });
  },
});

export const startTyping = command({
  type: 'typing.start',
  summary: 'You are typing, for ten seconds.',
  route: { method: 'POST', path: '/channels/:channel_id/typing', status: 204, answers: 'Nothing.' },
  params: OnChannel,
  structural: false,
  carryOut: async ({ fields, context }, deps) => {
    const { userId } = context.actor;
    const access = await deps.access.channel(userId, fields.channel_id);
    if (access === undefined) return refused('unknownChannel');
    if (!allows(access.permissions, Permission.sendMessages)) return refused('missingPermissions');
    if (await isBlocked(deps.views.guilds, userId, access.channel)) return refused('cannotMessageUser');
    const { id: channelId, guildId } = access.channel;
    deps.ephemeral.typing({ channelId, guildId, userId, time: deps.now() });
    const position = deps.views.progress('guild-views').checkpoint();
    return either.right({ position, stream: channelStream(channelId), sequence: 0, answer: NOTHING });
  },
});
