/** Audit logs as clients see them. */

import { isDeepStrictEqual } from 'node:util';
import {
  AuditAction,
  type AuditKind,
  type AuditValues,
  kindOf,
  type LoggedNick,
  roleSubject,
} from '../domain/audit-log.ts';
import { everyoneOf } from '../domain/roles.ts';
import type { AuditReader, AuditRow } from '../projections/views/audit-log/view.ts';
import type { GuildReader } from '../projections/views/guild-views/view.ts';
import type { ChannelDetails, Overwrite } from '../schemas/events/channel.ts';
import type { GuildDetails, Role } from '../schemas/events/guild.ts';
import { Nickname } from '../schemas/events/member.ts';
import type { ThreadDetails } from '../schemas/events/thread.ts';
import { memberStream } from '../schemas/streams.ts';
import { type KeyRing, openAs } from '../vault/sealing.ts';
import { CHANNEL_TYPES, presentPauses } from './guilds.ts';
import type { ApiAuditChange, ApiAuditEntry } from './shapes.ts';
import { wireTime } from './time.ts';

/** A thing's fields, by the names that clients know. */
type Fields = Readonly<Record<string, unknown>>;

/** Names every field, so that a new one cannot be forgotten. */
const named =
  <Thing>(names: { readonly [Field in keyof Thing]-?: string }) =>
  (thing: Thing): Fields =>
    Object.fromEntries(
      Object.entries<string>(names).map(([field, name]) => [name, (thing as Record<string, unknown>)[field]]),
    );

const guildFields = named<Omit<GuildDetails, 'isPublic'>>({
  name: 'name',
  description: 'description',
  verificationLevel: 'verification_level',
  defaultNotifications: 'default_message_notifications',
  systemChannelId: 'system_channel_id',
  systemChannelFlags: 'system_channel_flags',
  safetyAlertsChannelId: 'safety_alerts_channel_id',
});

const channelFields = named<ChannelDetails>({
  name: 'name',
  topic: 'topic',
  nsfw: 'nsfw',
  position: 'position',
  parentId: 'parent_id',
  slowmode: 'rate_limit_per_user',
});

const fieldsOf: { readonly [K in Exclude<AuditKind, 'roles' | 'nick'>]: (value: AuditValues[K]) => Fields } = {
  details: ({ isPublic, ...details }) => ({ ...guildFields(details), features: isPublic ? ['DISCOVERABLE'] : [] }),
  owner: ({ ownerId }) => ({ owner_id: ownerId }),
  pauses: (pauses) => ({ incidents_data: presentPauses(pauses) }),
  role: ({ name, permissions, color, hoist, mentionable, position }) => ({
    ...{ name, permissions, color, hoist, mentionable, position },
  }),
  'new-channel': ({ kind, name, overwrites, ...details }) => ({
    ...{ type: CHANNEL_TYPES[kind as keyof typeof CHANNEL_TYPES] },
    ...{ ...channelFields({ ...details, name: name ?? '' }), permission_overwrites: overwrites },
  }),
  channel: channelFields,
  overwrite: ({ id, type, allow, deny }) => ({ id, type, allow, deny }),
  thread: named<Omit<ThreadDetails, 'archiveTime'>>({
    name: 'name',
    archived: 'archived',
    locked: 'locked',
    autoArchive: 'auto_archive_duration',
    invitable: 'invitable',
  }),
  timeout: ({ until }) => ({ communication_disabled_until: until === null ? null : wireTime(until) }),
  invite: ({ code, channelId, inviterId, maxUses, maxAge }) => ({
    ...{ code, channel_id: channelId, inviter_id: inviterId, max_uses: maxUses, max_age: maxAge, temporary: false },
  }),
};

/** Without a value for what is null: clients take a missing one for that. */
const differences = (former: Fields, now: Fields): readonly ApiAuditChange[] =>
  [...new Set([...Object.keys(former), ...Object.keys(now)])].flatMap((key) => {
    const [old, fresh] = [former[key] ?? undefined, now[key] ?? undefined];
    if (isDeepStrictEqual(old, fresh)) return [];
    return [
      { key, ...(fresh === undefined ? {} : { new_value: fresh }), ...(old === undefined ? {} : { old_value: old }) },
    ];
  });

/** Of whom entries of these actions are. */
const ON_PEOPLE: ReadonlySet<number> = new Set([
  ...[AuditAction.memberKick, AuditAction.memberBanAdd, AuditAction.memberBanRemove, AuditAction.memberUpdate],
  ...[AuditAction.memberRoleUpdate, AuditAction.botAdd, AuditAction.messageDelete],
  ...[AuditAction.messagePin, AuditAction.messageUnpin],
]);

/** The people whom the entries name. */
export const peopleIn = (rows: readonly AuditRow[]): ReadonlySet<string> =>
  new Set(
    rows.flatMap(({ actorId, action, about: { targetId }, subject, value, former }) => {
      const invite = kindOf(subject) === 'invite' ? ((value ?? former) as AuditValues['invite'] | null) : null;
      return [
        actorId,
        ...(targetId !== null && ON_PEOPLE.has(action) ? [targetId] : []),
        ...(invite === null ? [] : [invite.inviterId]),
      ];
    }),
  );

/** The threads that the entries are about. */
export const threadsIn = (rows: readonly AuditRow[]): readonly string[] => [
  ...new Set(
    rows.flatMap(({ subject, about: { targetId } }) => (kindOf(subject) === 'thread' ? (targetId ?? []) : [])),
  ),
];

interface AuditDeps {
  readonly guilds: Pick<GuildReader, 'guild' | 'channel'>;
  readonly audit: Pick<AuditReader, 'known'>;
  readonly keys: KeyRing;
}

const sealedNicks = ({ subject, value, former }: AuditRow): readonly LoggedNick[] =>
  kindOf(subject) === 'nick' ? [value, former].flatMap((nick) => (nick as LoggedNick | null) ?? []) : [];

const listOf = (value: unknown): readonly string[] => (value as readonly string[] | null) ?? [];

/** As it is, or as it was. */
const overwriteIn = ({ subject, value, former }: AuditRow): Overwrite | null =>
  kindOf(subject) === 'overwrite' ? ((value ?? former) as Overwrite | null) : null;

/** The roles whose names an entry shows. */
const rolesIn = (row: AuditRow): readonly string[] => {
  if (kindOf(row.subject) === 'roles') return [...listOf(row.value), ...listOf(row.former)];
  const overwrite = overwriteIn(row);
  return overwrite?.type === 0 ? [overwrite.id] : [];
};

/** The names of a guild's roles, also of those that are deleted. */
const roleNames = async (
  { guilds, audit }: AuditDeps,
  guildId: string,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> => {
  if (ids.size === 0) return new Map();
  const guild = await guilds.guild(guildId);
  const present = guild === undefined ? [] : [everyoneOf(guild), ...guild.roles];
  const names = new Map(present.map(({ id, name }) => [id, name]));
  const gone = [...ids].filter((id) => !names.has(id)).map(roleSubject);
  const known = gone.length === 0 ? new Map() : await audit.known(guildId, gone, Number.MAX_SAFE_INTEGER);
  for (const { value, former } of known.values()) {
    const role = (value ?? former) as Role | null;
    if (role !== null) names.set(role.id, role.name);
  }
  return names;
};

/**
 * Entries of one guild, in the order of the rows. What is sealed is opened; where its key is gone, nothing is shown.
 * @param reasons opened, in the same order
 */
export const presentAuditEntries = async (
  deps: AuditDeps,
  rows: readonly AuditRow[],
  reasons: readonly (string | null)[],
): Promise<readonly ApiAuditEntry[]> => {
  const { keys, guilds } = deps;
  await keys.load(rows.flatMap(sealedNicks).map(({ sealed }) => sealed.by));
  const names = await roleNames(deps, rows[0]?.guildId ?? '', new Set(rows.flatMap(rolesIn)));

  const openedNick = ({ guildId, about: { targetId } }: AuditRow, nick: LoggedNick | null): Fields => {
    if (nick === null) return {};
    const key = keys.cached(nick.sealed.by) ?? undefined;
    const place = { stream: memberStream(guildId, targetId!), eventId: nick.sealedIn };
    return { nick: openAs(Nickname, key, place, nick.sealed)?.nick ?? null };
  };

  /** What else is known of a thing that is created or deleted. */
  const alsoKnown = async ({ action, about }: AuditRow): Promise<Fields> => {
    if (about.type !== undefined) return { type: about.type };
    const row = action === AuditAction.channelDelete ? await guilds.channel(about.targetId!) : undefined;
    return row === undefined ? {} : { type: CHANNEL_TYPES[row.kind], permission_overwrites: row.overwrites };
  };

  const withNames = (ids: readonly string[]) => ids.map((id) => ({ id, name: names.get(id) ?? '' }));

  const changesIn = async (row: AuditRow): Promise<readonly ApiAuditChange[]> => {
    const { value, former } = row;
    const kind = kindOf(row.subject);
    if (kind === undefined) return [];
    if (kind === 'roles') {
      const [old, now] = [listOf(former), listOf(value)];
      const [added, removed] = [now.filter((id) => !old.includes(id)), old.filter((id) => !now.includes(id))];
      return [
        ...(added.length === 0 ? [] : [{ key: '$add', new_value: withNames(added) }]),
        ...(removed.length === 0 ? [] : [{ key: '$remove', new_value: withNames(removed) }]),
      ];
    }
    if (kind === 'nick')
      return differences(openedNick(row, former as LoggedNick | null), openedNick(row, value as LoggedNick | null));
    const shown = fieldsOf[kind] as (value: unknown) => Fields;
    const also = await alsoKnown(row);
    const [old, now] = [former, value].map((one) => (one === null ? {} : shown(one))) as [Fields, Fields];
    return value === null ? differences({ ...also, ...old }, {}) : differences(old, { ...also, ...now });
  };

  const optionsOf = (row: AuditRow): Readonly<Record<string, string>> => {
    const overwrite = overwriteIn(row);
    if (overwrite === null) return row.about.options ?? {};
    const { id, type } = overwrite;
    return { id, type: String(type), ...(type === 0 ? { role_name: names.get(id) ?? '' } : {}) };
  };

  return Promise.all(
    rows.map(async (row, n) => {
      const [changes, options, reason] = [await changesIn(row), optionsOf(row), reasons[n]];
      return {
        ...{ id: row.id, action_type: row.action, user_id: row.actorId, target_id: row.about.targetId },
        ...(changes.length === 0 ? {} : { changes }),
        ...(Object.keys(options).length === 0 ? {} : { options }),
        ...(reason == null ? {} : { reason }),
      };
    }),
  );
};
