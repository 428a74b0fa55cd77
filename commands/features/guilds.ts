/** Guilds. A guild is created together with its first channel and its owner's membership. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as guild from '../../domain/guild.ts';
import { DEFAULT_EVERYONE, type MemberRights } from '../../domain/permissions.ts';
import { rowOfChannel, rowOfGuild } from '../../projections/views/guild-views/view.ts';
import type { Actor } from '../../schemas/actor.ts';
import {
  IsoTimeText,
  integer,
  list,
  optional,
  Snowflake,
  text,
  timeFromIso,
  visibleText,
} from '../../schemas/codecs.ts';
import { fieldError, type ParleyError } from '../../schemas/errors.ts';
import type { EventData } from '../../schemas/events/catalogue.ts';
import { PLAIN } from '../../schemas/events/channel.ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { CreatedGuild, Guild, Incidents } from '../../schemas/http/shapes.ts';
import { guildStream } from '../../schemas/streams.ts';
import {
  ACCEPTED,
  type Asked,
  type CommandDeps,
  command,
  creating,
  type Result,
  refused,
  unlessRepeated,
} from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import { channelStep, joiningStep } from '../processes.ts';
import { handingOver, newOwner } from './handing-over.ts';

const FIRST_CHANNEL = 'general';

const firstChannelOf = ({ guildId, firstChannel }: EventData<'guild-created'>): EventData<'channel-created'> => ({
  ...{ channelId: firstChannel.id, kind: 'text', guildId, name: firstChannel.name },
  ...{ topic: null, overwrites: [], participants: [], ...PLAIN },
});

export const GuildName = visibleText(2, 100, 'name');

/**
 * Whether a person may be in no further guild. Counted in the views: what puts the person into a guild holds up the
 * person's later commands, so only those who ask several processes at once may exceed it by as many.
 */
export const inTooManyGuilds = async ({ views, bounds }: CommandDeps, { kind, userId }: Actor): Promise<boolean> =>
  kind !== 'bot' && (await views.guilds.guildsOf(userId)).length >= bounds.guilds;

/** What a guild does not have here. */
const notThere = {
  ...{ icon: [''], explicit_content_filter: [0], afk_channel_id: [], afk_timeout: [] },
};

/** What a new guild does not begin with. */
const notAtFirst = {
  ...{ roles: [], channels: [], verification_level: [0], default_message_notifications: [0] },
  ...{ system_channel_id: [], system_channel_flags: [0], guild_template_code: [], description: [''] },
};

export const createGuild = command({
  type: 'guild.create',
  summary: 'Create a guild, with a first text channel.',
  route: { method: 'POST', path: '/guilds', status: 201, answers: 'The guild and its channels.', answer: CreatedGuild },
  body: t.type({ name: GuildName }),
  structural: true,
  check: refuseNotThere({ ...notThere, ...notAtFirst }),
  holdsUp: true,
  limit: { bucket: 'guildCreate', key: (_, { userId }) => userId },
  prepare: async ({ fields, context, cause }, deps) => {
    const named = await deps.names.id(creating(context, cause));
    if (either.isLeft(named)) return named;
    const firstChannel = { id: deps.ids(deps.now()), name: FIRST_CHANNEL };
    const made = {
      guildId: named.right,
      name: fields.name,
      ownerId: context.actor.userId,
      everyone: DEFAULT_EVERYONE.toString(),
      firstChannel,
      systemChannelId: firstChannel.id,
    };
    return either.right({ guild: made, isFull: await inTooManyGuilds(deps, context.actor) });
  },
  preparedStream: ({ guild: { guildId } }) => guildStream(guildId),
  decide: (state: guild.GuildState, { prepared }) => guild.createGuild(prepared, state),
  follow: {
    // The owner joins last, because joining is what reveals the guild.
    'guild-created': ({ data }) => [
      channelStep(firstChannelOf(data)),
      joiningStep({ guildId: data.guildId, userId: data.ownerId, invite: null, announcedIn: null }),
    ],
  },
  waitsFor: 'processes',
  answer: async ({ event }, { context }, deps) => {
    if (event?.type !== 'guild-created') return refused('keyReused');
    const { guilds } = deps.views;
    const { guildId: id } = event.data;
    const row = (await guilds.guild(id)) ?? {
      ...rowOfGuild({ ...event.data, id }, 1),
      ...guild.firstDetails(event.data),
    };
    const known = await guilds.channelsOf(id);
    const channels = known.length > 0 ? known : [rowOfChannel(firstChannelOf(event.data), event.position)];
    return either.right({ kind: 'guild', guild: row, channels, viewer: context.actor.userId });
  },
});

/** The caller, who must be a member. */
export const memberOfGuild = async (
  { fields, context }: Asked<{ readonly guild_id: string }>,
  deps: CommandDeps,
): Promise<Result<MemberRights>> => {
  const access = await deps.access.guild(context.actor.userId, fields.guild_id);
  return access === undefined ? refused('unknownGuild') : either.right(access.member);
};

const PUBLIC = 'DISCOVERABLE';

const Edited = t.partial({
  name: optional(GuildName),
  description: optional(text(0, 300, 'description')),
  verification_level: optional(integer(0, 4)),
  default_message_notifications: optional(integer(0, 1)),
  system_channel_id: optional(Snowflake),
  system_channel_flags: optional(integer(0, 2 ** 31 - 1)),
  safety_alerts_channel_id: optional(Snowflake),
  features: optional(list(t.literal(PUBLIC), 1)),
  owner_id: optional(Snowflake),
});

/** @param fields null empties what it is given for; a name cannot be empty */
const patchOf = (fields: t.TypeOf<typeof Edited>) => ({
  ...{ name: fields.name ?? undefined, description: fields.description },
  ...{ verificationLevel: fields.verification_level, defaultNotifications: fields.default_message_notifications },
  ...{ systemChannelId: fields.system_channel_id, systemChannelFlags: fields.system_channel_flags },
  safetyAlertsChannelId: fields.safety_alerts_channel_id,
  isPublic: fields.features == null ? undefined : fields.features.includes(PUBLIC),
});

const notOfGuilds = refuseNotThere({
  ...{ ...notThere, region: [], splash: [], discovery_splash: [], banner: [], rules_channel_id: [] },
  ...{ public_updates_channel_id: [], preferred_locale: ['en-US'] },
  premium_progress_bar_enabled: [false],
});

/** Handing a guild on may come to nothing after its other changes are stored: all of a request is carried out, or none. */
const handedOnAlone = (fields: t.TypeOf<typeof Edited>): ParleyError | undefined =>
  fields.owner_id == null || Object.values(patchOf(fields)).every((value) => value === undefined)
    ? undefined
    : fieldError(['owner_id'], 'MUTUALLY_EXCLUSIVE', 'Hand the guild on in a request of its own.');

/** Whether the guild has this channel, the caller sees it, and people write in it. */
const isItsTextChannel = async (
  { fields, context }: Asked<{ readonly guild_id: string }>,
  channelId: string,
  deps: CommandDeps,
): Promise<boolean> => {
  const access = await deps.access.channel(context.actor.userId, channelId);
  if (access?.channel.guildId !== fields.guild_id) return false;
  return access.channel.kind !== 'category' && access.channel.kind !== 'thread';
};

const wrongChannel = async (
  asked: Asked<{ readonly guild_id: string } & t.TypeOf<typeof Edited>>,
  deps: CommandDeps,
): Promise<ParleyError | undefined> => {
  for (const field of ['system_channel_id', 'safety_alerts_channel_id'] as const) {
    const channelId = asked.fields[field];
    if (channelId != null && !(await isItsTextChannel(asked, channelId, deps)))
      return fieldError([field], 'CHANNEL_INVALID', 'Must be a text channel of the guild.');
  }
  return undefined;
};

export const editGuild = command({
  type: 'guild.edit',
  summary: 'Change what a guild is called and how it greets its people, whether anybody finds it, and who owns it.',
  route: { method: 'PATCH', path: '/guilds/:guild_id', status: 200, answers: 'The guild.', answer: Guild },
  params: OnGuild,
  body: Edited,
  structural: true,
  holdsUp: true,
  check: (fields) => notOfGuilds(fields) ?? handedOnAlone(fields),
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: memberOfGuild,
  prepare: async (asked, deps) => {
    const { guild_id: guildId, owner_id: ownerId } = asked.fields;
    const wrong = await wrongChannel(asked, deps);
    const to = ownerId == null ? undefined : await newOwner(guildId, ownerId, asked, deps);
    if (to === undefined || either.isRight(to)) return either.right({ wrong, transfer: to && { to: to.right } });
    return to;
  },
  decide: (state: guild.GuildState, { rights: actor, prepared: { wrong, transfer } }, { fields, cause }) => {
    const asked = { guildId: fields.guild_id, actor, key: cause.key, patch: patchOf(fields), transfer };
    return unlessRepeated(wrong, state, cause, guild.editGuild(asked, state));
  },
  follow: { 'transfer-requested': handingOver },
  waitsFor: ({ owner_id }) => (owner_id == null ? 'views' : 'processes'),
  answer: async ({ done, event }, { fields, context }, deps) => {
    const row = await deps.views.guilds.guild(fields.guild_id);
    if (row === undefined) return refused('unknownGuild');
    const asked = done.events.find(({ type }) => type === 'transfer-requested');
    // They may have left meanwhile.
    if (asked !== undefined && row.ownerId !== fields.owner_id)
      return (await deps.views.guilds.member(row.id, fields.owner_id!)) === undefined
        ? refused('unknownMember')
        : either.right(ACCEPTED);
    const edited = event?.type === 'guild-edited' ? { ...row, ...event.data.details } : row;
    return either.right({ kind: 'guild', guild: edited, viewer: context.actor.userId });
  },
});

export const deleteGuild = command({
  type: 'guild.delete',
  summary: 'Delete a guild that you own, with all its channels.',
  route: { method: 'DELETE', path: '/guilds/:guild_id', status: 204, answers: 'Nothing.' },
  params: OnGuild,
  structural: true,
  holdsUp: true,
  stream: ({ guild_id }) => guildStream(guild_id),
  // Of a repeat the caller is a member no more: the stream answers it.
  rights: async (asked, deps) => {
    const member = await memberOfGuild(asked, deps);
    return either.right(either.isRight(member) ? member.right : undefined);
  },
  decide: (state: guild.GuildState, { rights: actor }, { fields, cause }) =>
    guild.deleteGuild({ guildId: fields.guild_id, actor, key: cause.key }, state),
  waitsFor: 'views',
});

/** The longest pause, in milliseconds. */
const PAUSE_MS = 24 * 3_600_000;

const timeOf = (given: string | null | undefined) => (typeof given === 'string' ? timeFromIso(given) : given);

const pausesOf = (fields: t.TypeOf<typeof Paused>) => ({
  invitesUntil: timeOf(fields.invites_disabled_until),
  directUntil: timeOf(fields.dms_disabled_until),
});

const Paused = t.partial({
  invites_disabled_until: optional(IsoTimeText),
  dms_disabled_until: optional(IsoTimeText),
});

const tooLate = ({ invitesUntil, directUntil }: ReturnType<typeof pausesOf>, now: number): ParleyError | undefined => {
  const isLate = (until: number | null | undefined) => (until ?? 0) > now + PAUSE_MS;
  const late = isLate(invitesUntil) ? 'invites_disabled_until' : isLate(directUntil) ? 'dms_disabled_until' : undefined;
  return late && fieldError([late], 'DATE_TIME_TOO_LATE', 'Must be within 24 hours from now.');
};

export const pauseGuild = command({
  type: 'guild.pause',
  summary: 'Keep new people and new direct channels away until a time within 24 hours; null ends that.',
  route: {
    method: 'PUT',
    path: '/guilds/:guild_id/incident-actions',
    status: 200,
    answers: 'What is paused until when.',
    answer: Incidents,
  },
  params: OnGuild,
  body: Paused,
  structural: true,
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: memberOfGuild,
  decide: (state: guild.GuildState, { rights: actor }, { fields, cause }, { now }) => {
    const asked = { guildId: fields.guild_id, actor, key: cause.key, patch: pausesOf(fields) };
    return unlessRepeated(tooLate(asked.patch, now()), state, cause, guild.pauseGuild(asked, state));
  },
  waitsFor: 'views',
  answer: async ({ event }, { fields }, deps) => {
    if (event?.type === 'guild-paused') return either.right({ kind: 'incidents', pauses: event.data.pauses });
    const row = await deps.views.guilds.guild(fields.guild_id);
    return row === undefined ? refused('unknownGuild') : either.right({ kind: 'incidents', pauses: row.pauses });
  },
});
