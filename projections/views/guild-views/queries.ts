/**
 * Queries on the guild views, the same for every SQL store. Queries with `at` answer as of that position once every
 * event up to it is applied, whatever was applied since. `undefined` means now.
 */

import { type ExpressionBuilder, type Kysely, type RawBuilder, sql } from 'kysely';
import type { RelationshipType } from '../../../domain/relationship.ts';
import { compareIds } from '../../../domain/snowflake.ts';
import type { Overwrite } from '../../../schemas/events/channel.ts';
import type { GuildNotifications } from '../../../schemas/events/settings.ts';
import { NEVER_SIGNED_OUT, type SignedOut, type Standing } from '../../../schemas/events/user.ts';
import { idIn, inListOrder, revisedChannel, revisedGuild, revisedMember, revisedThread } from './revised.ts';
import type { Relation, RelationFields, Revision, SettingsFields } from './revisions.ts';
import type { GuildTables } from './tables.ts';
import {
  type ChannelRow,
  type GuildChange,
  type GuildRow,
  type Leaving,
  type MemberRow,
  NEW_MEMBER,
  type NotificationsRow,
  type RelationshipRow,
  revisedUser,
  rowOfGuild,
  rowOfUser,
  type UserRow,
} from './view.ts';

/** Whether a membership lasts now, or lasted at a position. */
const lasting =
  (at: number | undefined) =>
  <DB extends { m: GuildTables['memberships'] }, T extends 'm' & keyof DB>(any: ExpressionBuilder<DB, T>) => {
    const on = any as unknown as ExpressionBuilder<{ m: GuildTables['memberships'] }, 'm'>;
    const noEnd = on('m.left_at', 'is', null);
    return at === undefined ? noEnd : on.and([on('m.joined_at', '<=', at), on.or([noEnd, on('m.left_at', '>', at)])]);
  };

/** The name of the store's function that joins texts. */
type JoiningTexts = 'string_agg' | 'group_concat';

export const guildQueries = (db: Kysely<GuildTables>, joining: JoiningTexts) => {
  /** The inside of a JSON object: of each row its field and value. */
  const fieldsJoined = sql<string | null>`${sql.raw(joining)}('"' || v.field || '":' || v.value, ',')`;

  /**
   * The latest value of each field of a subject, as the inside of a JSON object.
   * @param beyond position at which the subject began anew
   */
  const revised = (at: number | undefined, subject: RawBuilder<string>, beyond?: RawBuilder<number>) => {
    const latest = db
      .selectFrom('revisions as later')
      .select((on) => on.fn.max('later.position').as('position'))
      .where(sql<boolean>`later.subject = v.subject and later.field = v.field`)
      .$if(at !== undefined, (all) => all.where('later.position', '<=', at!));
    return db
      .selectFrom('revisions as v')
      .select(fieldsJoined.as('fields'))
      .where('v.subject', '=', subject)
      .where('v.position', '=', latest)
      .$if(beyond !== undefined, (all) => all.where('v.position', '>', beyond!));
  };

  const userRevisions = db.selectFrom('user_revisions as v').where('v.position', '=', (on) =>
    on
      .selectFrom('user_revisions as later')
      .select((of) => of.fn.max('later.position').as('position'))
      .whereRef('later.user_id', '=', 'v.user_id')
      .whereRef('later.field', '=', 'v.field'),
  );

  /**
   * The count at a position is the current count minus the changes since: few rows, because the position is a recent
   * one.
   */
  const guilds = (at: number | undefined) => {
    const counted = db
      .selectFrom('guilds as g')
      .leftJoin('guild_counts as n', 'n.guild_id', 'g.id')
      .select((on) => {
        const now = on.fn.coalesce('n.members', sql.lit(0));
        if (at === undefined) return now.as('memberCount');
        const stays = on.selectFrom('memberships as m').whereRef('m.guild_id', '=', 'g.id');
        // A filter, not a condition on the open end: as many memberships have no end as there are members.
        const begun = stays
          .select((of) => of.fn.countAll<number>().filterWhere('m.left_at', 'is', null).as('count'))
          .where('m.joined_at', '>', at);
        const ended = stays
          .select((of) => of.fn.countAll<number>().filterWhere('m.joined_at', '<=', at).as('count'))
          .where('m.left_at', '>', at);
        return sql<number>`${now} - ${begun} + ${ended}`.as('memberCount');
      })
      .select((on) => [
        on.cast<string>('g.id', 'text').as('id'),
        'g.name as name',
        on.cast<string>('g.owner_id', 'text').as('ownerId'),
        'g.everyone as everyone',
        revised(at, sql`'guild:' || g.id`).as('revised'),
      ]);
    return at === undefined ? counted : counted.where('g.created_at', '<=', at);
  };

  const channels = (at: number | undefined) => {
    const all = db
      .selectFrom('channels as c')
      .select((on) => [
        on.cast<string>('c.id', 'text').as('id'),
        'c.kind as kind',
        on.cast<string | null>('c.guild_id', 'text').as('guildId'),
        'c.name as name',
        'c.topic as topic',
        'c.overwrites as overwrites',
        'c.participants as participants',
        'c.created_at as createdAt',
        revised(at, sql`'channel:' || c.id`).as('revised'),
      ]);
    return at === undefined ? all : all.where('c.created_at', '<=', at);
  };

  const threads = (at: number | undefined) => {
    const all = db
      .selectFrom('threads as t')
      .select((on) => [
        on.cast<string>('t.id', 'text').as('id'),
        't.begun as begun',
        revised(at, sql`'thread:' || t.id`).as('revised'),
      ]);
    return at === undefined ? all : all.where('t.created_at', '<=', at);
  };

  /** The end of the last time in which each was active. */
  const archived = () =>
    db
      .selectFrom('threads as t')
      .innerJoin('thread_spans as s', 's.thread_id', 't.id')
      .select((on) => on.cast<string>('t.id', 'text').as('id'))
      .where('s.ended_at', 'is not', null)
      .where((on) =>
        on.not(
          on.exists(
            on
              .selectFrom('thread_spans as later')
              .select('later.began_at')
              .whereRef('later.thread_id', '=', 's.thread_id')
              .whereRef('later.began_at', '>', 's.began_at'),
          ),
        ),
      )
      .where((on) =>
        on.not(
          on.exists(
            on
              .selectFrom('revisions as gone')
              .select('gone.position')
              .where(sql<boolean>`gone.subject = 'thread:' || t.id and gone.field = 'isDeleted'`),
          ),
        ),
      );

  const members = (at: number | undefined) =>
    db
      .selectFrom('memberships as m')
      .select((on) => [
        on.cast<string>('m.user_id', 'text').as('userId'),
        'm.joined_time as joinedTime',
        'm.joined_at as joinedAt',
        revised(at, sql`'member:' || m.guild_id || '_' || m.user_id`, sql`m.joined_at`).as('revised'),
      ])
      .where(lasting(at));

  return {
    guild: (at: number | undefined, id: string) => guilds(at).where('g.id', '=', id),

    guildsOf: (at: number | undefined, userId: string) =>
      guilds(at)
        .innerJoin('memberships as m', 'm.guild_id', 'g.id')
        .where('m.user_id', '=', userId)
        .where(lasting(at))
        .orderBy('m.joined_at'),

    /** Its place is the number of earlier channels in the guild. */
    channel: (at: number | undefined, id: string) =>
      channels(at)
        .select((on) =>
          on
            .selectFrom('channels as o')
            .select((of) => of.fn.countAll<number>().as('count'))
            .whereRef('o.guild_id', '=', 'c.guild_id')
            .whereRef('o.created_at', '<', 'c.created_at')
            .$asScalar()
            .$notNull()
            .as('place'),
        )
        .where('c.id', '=', id),

    channelsOf: (at: number | undefined, guildId: string) =>
      channels(at).where('c.guild_id', '=', guildId).orderBy('c.created_at'),

    thread: (at: number | undefined, id: string) => threads(at).where('t.id', '=', id),

    /** Active at a position, or now, and if asked for those that were active at some time beyond another. */
    threadsOf: (at: number | undefined, guildId: string, since: number) =>
      threads(at)
        .innerJoin('thread_spans as s', 's.thread_id', 't.id')
        .where('s.guild_id', '=', guildId)
        .where((on) => {
          const open = [on('s.ended_at', 'is', null), on('s.ended_at', '>', since)];
          return at === undefined
            ? on.or(open)
            : on.and([on('s.began_at', '<=', at), on.or([...open, on('s.ended_at', '>', at)])]);
        })
        .orderBy('t.id'),

    activeThreads: (after: string, limit: number) =>
      threads(undefined)
        .innerJoin('thread_spans as s', 's.thread_id', 't.id')
        .where('s.ended_at', 'is', null)
        .where('s.thread_id', '>', after)
        .orderBy('s.thread_id')
        .limit(limit),

    /** A page begins at a time, so those that were archived at one time are in one page. */
    archivedThreads: (parentId: string, isPrivate: number, before: number, limit: number) => {
      const all = archived()
        .select('s.ended_time as time')
        .where('t.parent_id', '=', parentId)
        .where('t.is_private', '=', isPrivate)
        .where('s.ended_time', '<', before)
        .orderBy('s.ended_time', 'desc');
      return all
        .where('s.ended_time', '>=', (on) =>
          on.selectFrom(all.limit(limit).as('first')).select((of) => of.fn.min('first.time').as('last')),
        )
        .orderBy('t.id', 'desc');
    },

    joinedArchivedThreads: (parentId: string, userId: string, before: string, limit: number) =>
      archived()
        .select('s.ended_time as time')
        .where('t.parent_id', '=', parentId)
        .where('t.is_private', '=', sql.lit(1))
        .where('t.id', '<', before)
        .where((on) =>
          on.exists(
            on
              .selectFrom('revisions as j')
              .select('j.position')
              .where(sql<boolean>`j.subject = 'thread:' || t.id and j.field = 'joined:' || ${userId}`),
          ),
        )
        .orderBy('t.id', 'desc')
        .limit(limit),

    directChannelsOf: (at: number | undefined, userId: string) =>
      channels(at)
        .innerJoin('direct_channels as d', 'd.channel_id', 'c.id')
        .where('d.user_id', '=', userId)
        .orderBy('c.created_at'),

    member: (at: number | undefined, guildId: string, userId: string) =>
      members(at).where('m.guild_id', '=', guildId).where('m.user_id', '=', userId),

    members: (at: number | undefined, guildId: string, after: string, limit: number) =>
      members(at).where('m.guild_id', '=', guildId).where('m.user_id', '>', after).orderBy('m.user_id').limit(limit),

    memberships: (at: number | undefined, userId: string, since: number) => {
      const stays = db
        .selectFrom('memberships as m')
        .select((on) => [
          on.cast<string>('m.guild_id', 'text').as('guildId'),
          'm.joined_at as joinedAt',
          // With a guild that is deleted all memberships end.
          on.fn
            .coalesce(
              at === undefined
                ? on.ref('m.left_at')
                : on.case().when('m.left_at', '<=', at).then(on.ref('m.left_at')).end(),
              on
                .selectFrom('revisions as v')
                .select((of) => of.fn.min('v.position').as('position'))
                .where(sql<boolean>`v.subject = 'guild:' || m.guild_id`)
                .where('v.field', '=', sql.lit('isDeleted'))
                .$if(at !== undefined, (all) => all.where('v.position', '<=', at!)),
            )
            .as('leftAt'),
        ])
        .where('m.user_id', '=', userId)
        .where((on) => {
          const open = [on('m.left_at', 'is', null), on('m.left_at', '>', since)];
          return on.or(at === undefined ? open : [...open, on('m.left_at', '>', at)]);
        })
        .orderBy('m.joined_at');
      return at === undefined ? stays : stays.where('m.joined_at', '<=', at);
    },

    revisions: (at: number | undefined, userId: string, after: number, limit: number) => {
      const isOwn = sql<boolean>`v.subject = 'member:' || v.guild_id || '_' || ${userId}`;
      const all = db
        .selectFrom('revisions as v')
        .select((on) => [
          on.cast<string>('v.guild_id', 'text').as('guildId'),
          'v.subject as subject',
          'v.field as field',
          'v.value as value',
          'v.position as position',
        ])
        .where('v.position', '>', after)
        .where((on) => on.or([on('v.subject', 'not like', sql.lit('member:%')), isOwn]))
        .where(sql<boolean>`(v.field not like 'joined:%' or v.field = 'joined:' || ${userId})`)
        .where('v.field', '<>', sql.lit('deleted'))
        .orderBy('v.position')
        .limit(limit);
      return at === undefined ? all : all.where('v.position', '<=', at);
    },

    /** What the user's own rows say of others. */
    relationships: (at: number | undefined, userId: string) => revised(at, sql`'relations:' || ${userId}`),

    notifications: (at: number | undefined, userId: string) => revised(at, sql`'settings:' || ${userId}`),

    /** What some people's rows say of the user; the store adds which people. */
    relationsTo: (at: number | undefined, userId: string) =>
      db
        .selectFrom('revisions as v')
        .select((on) => [on.cast<string>('v.guild_id', 'text').as('userId'), 'v.value as value'])
        .where('v.field', '=', sql<string>`'relation:' || ${userId}`)
        .$if(at !== undefined, (all) => all.where('v.position', '<=', at!))
        .orderBy('v.position'),

    users: () =>
      db
        .selectFrom('users as u')
        .select((on) => [
          on.cast<string>('u.id', 'text').as('id'),
          'u.kind as kind',
          on.cast<string | null>('u.owner_id', 'text').as('ownerId'),
          on.cast<string>('u.sealed_by', 'text').as('by'),
          'u.box as box',
          'u.sealed_in as sealedIn',
          on
            .selectFrom('sign_outs as s')
            .select('s.signed_out')
            .whereRef('s.user_id', '=', 'u.id')
            .orderBy('s.position', 'desc')
            .limit(sql.lit(1))
            .as('signedOut'),
          userRevisions.select(fieldsJoined.as('fields')).where('v.user_id', '=', on.ref('u.id')).as('revised'),
        ]),

    /** Whom administrators named and removed. */
    named: () =>
      userRevisions
        .select((on) => [on.cast<string>('v.user_id', 'text').as('userId'), 'v.value as administers'])
        .where('v.field', '=', sql.lit('administers'))
        .orderBy('v.position'),

    standings: () =>
      userRevisions
        .select((on) => [on.cast<string>('v.user_id', 'text').as('userId'), 'v.value as standing'])
        .where('v.field', '=', sql.lit('standing')),

    /** The latest to be public first. */
    publicGuilds: (at: number | undefined, limit: number) =>
      guilds(at)
        .innerJoin('revisions as p', (join) =>
          join.on(sql<boolean>`p.subject = 'guild:' || g.id`).on('p.field', '=', sql.lit('details')),
        )
        .where('p.value', 'like', sql.lit('%"isPublic":true%'))
        .where((on) =>
          on.not(
            on.exists(
              on
                .selectFrom('revisions as l')
                .select('l.position')
                .whereRef('l.subject', '=', 'p.subject')
                .where((of) =>
                  of.or([
                    of.and([of('l.field', '=', sql.lit('details')), of('l.position', '>', of.ref('p.position'))]),
                    of('l.field', '=', sql.lit('isDeleted')),
                  ]),
                ),
            ),
          ),
        )
        .orderBy('p.position', 'desc')
        .limit(limit),

    invites: (at: number | undefined) => {
      const invites = db
        .selectFrom('invites as i')
        .leftJoin('invite_counts as n', 'n.code', 'i.code')
        .select((on) => [
          'i.code as code',
          on.cast<string>('i.guild_id', 'text').as('guildId'),
          on.cast<string>('i.channel_id', 'text').as('channelId'),
          on.cast<string>('i.inviter_id', 'text').as('inviterId'),
          'i.max_uses as maxUses',
          on
            .case()
            .when('i.max_uses', '>', sql.lit(0))
            .then(
              on
                .selectFrom('redemptions as r')
                .select((of) => of.fn.countAll<number>().as('count'))
                .whereRef('r.code', '=', 'i.code')
                .$if(at !== undefined, (all) => all.where('r.position', '<=', at!))
                .$asScalar()
                .$notNull(),
            )
            .else(on.fn.coalesce('n.joined', sql.lit(0)))
            .end()
            .as('uses'),
          'i.created_time as createdTime',
          'i.expires_at as expiresAt',
        ])
        .where((on) => {
          const lasts = on('i.deleted_at', 'is', null);
          return at === undefined ? lasts : on.or([lasts, on('i.deleted_at', '>', at)]);
        });
      return at === undefined ? invites : invites.where('i.created_at', '<=', at);
    },

    countApplications: (at: number | undefined, ownerId: string) => {
      const bots = db
        .selectFrom('users as u')
        .select((on) => on.fn.countAll<number>().as('count'))
        .where('u.owner_id', '=', ownerId);
      return at === undefined ? bots : bots.where('u.registered_at', '<=', at);
    },

    countOpenInvites: (at: number | undefined, guildId: string, inviterId: string, now: number) => {
      const open = db
        .selectFrom('invites as i')
        .select((on) => on.fn.countAll<number>().as('count'))
        .where('i.guild_id', '=', guildId)
        .where('i.inviter_id', '=', inviterId)
        .where((on) => {
          const lasts = on('i.deleted_at', 'is', null);
          return at === undefined ? lasts : on.or([lasts, on('i.deleted_at', '>', at)]);
        })
        .where((on) => on.or([on('i.expires_at', 'is', null), on('i.expires_at', '>', now)]))
        // Nobody joins by one that leads to a deleted channel.
        .where((on) => {
          const deleted = on
            .selectFrom('revisions as d')
            .select(sql.lit(1).as('found'))
            .where('d.subject', '=', sql<string>`'channel:' || i.channel_id`)
            .where('d.field', '=', sql.lit('isDeleted'));
          return on.not(on.exists(at === undefined ? deleted : deleted.where('d.position', '<=', at)));
        })
        .where((on) => {
          const all = on
            .selectFrom('redemptions as r')
            .select((of) => of.fn.countAll<number>().as('count'))
            .whereRef('r.code', '=', 'i.code');
          const uses = at === undefined ? all : all.where('r.position', '<=', at);
          return on.or([on('i.max_uses', '=', sql.lit(0)), on('i.max_uses', '>', uses)]);
        });
      return at === undefined ? open : open.where('i.created_at', '<=', at);
    },

    administrator: () =>
      db
        .selectFrom('users as u')
        .select((on) => on.cast<string>('u.id', 'text').as('id'))
        .where('u.kind', '=', sql.lit('person'))
        .orderBy('u.registered_at')
        .limit(sql.lit(1)),
  };
};

type Queries = ReturnType<typeof guildQueries>;
type RowOf<K extends keyof Queries> = Queries[K] extends (...given: never) => { execute(): Promise<(infer Row)[]> }
  ? Row
  : never;

type GuildColumns = RowOf<'guild'>;
type ChannelColumns = RowOf<'channelsOf'>;
type ThreadColumns = RowOf<'thread'>;
type MemberColumns = RowOf<'member'>;
type UserColumns = RowOf<'users'>;
type RevisionColumns = RowOf<'revisions'>;
type RelationColumns = RowOf<'relationsTo'>;

/** Converts between columns and rows, the same in every SQL store. */
export const revisedFields = <Fields>(revised: string | null): Fields => JSON.parse(`{${revised ?? ''}}`) as Fields;

export const guildOf = ({ revised, ...columns }: GuildColumns): GuildRow => {
  const guild = rowOfGuild({ ...columns, name: JSON.parse(columns.name) as string }, columns.memberCount);
  return revised === null ? guild : revisedGuild(guild, revisedFields(revised));
};

export const channelRowOf = (columns: ChannelColumns, order: number): ChannelRow => {
  const channel = channelAsBegun(columns, order);
  return columns.revised === null ? channel : revisedChannel(channel, revisedFields(columns.revised));
};

/** @param columns of all channels that the user ever took part in */
export const directRowsOf = (columns: readonly ChannelColumns[], userId: string): readonly ChannelRow[] =>
  columns.map((row) => channelRowOf(row, 0)).filter(({ participants }) => participants.includes(userId));

/** @param columns of all channels of a guild, in order of creation */
export const channelRowsOf = (columns: readonly ChannelColumns[]): readonly ChannelRow[] =>
  inListOrder(columns.map(channelRowOf));

const channelAsBegun = (columns: ChannelColumns, order: number): ChannelRow => {
  const participants = JSON.parse(columns.participants) as string[];
  return {
    id: columns.id,
    kind: columns.kind,
    guildId: columns.guildId,
    name: JSON.parse(columns.name) as string | null,
    topic: JSON.parse(columns.topic) as string | null,
    nsfw: false,
    parentId: null,
    slowmode: 0,
    overwrites: JSON.parse(columns.overwrites) as Overwrite[],
    participants,
    ...(columns.kind === 'group' ? { ownerId: participants[0]! } : {}),
    order,
    createdAt: columns.createdAt,
  };
};

export const threadRowOf = ({ begun, revised }: ThreadColumns): ChannelRow => {
  const thread = JSON.parse(begun) as ChannelRow;
  return revised === null ? thread : revisedThread(thread, revisedFields(revised));
};

/** Each once, without those that are deleted. */
export const threadRowsOf = (columns: readonly ThreadColumns[]): readonly ChannelRow[] => {
  const rows = new Map(columns.map((one) => [one.id, threadRowOf(one)]));
  return [...rows.values()].filter(({ isDeleted }) => isDeleted !== true);
};

/** Before which time or id, where a query names none. */
export const ARCHIVED_EVER = Number.MAX_SAFE_INTEGER;
export const ANY_THREAD = '9223372036854775807';

export const memberOf = (guildId: string, { userId, joinedTime, joinedAt, revised }: MemberColumns): MemberRow => {
  const member: MemberRow = { guildId, userId, joinedTime, joinedAt, ...NEW_MEMBER };
  return revised === null ? member : revisedMember(member, revisedFields(revised));
};

export const revisionOf = (columns: RevisionColumns): Revision =>
  ({ ...columns, value: JSON.parse(columns.value) }) as Revision;

export const userOf = ({ by, box, signedOut, revised, ...user }: UserColumns): UserRow => {
  const ended = signedOut === null ? NEVER_SIGNED_OUT : (JSON.parse(signedOut) as SignedOut);
  const row = rowOfUser({ ...user, sealed: { by, box } }, ended);
  return revised === null ? row : revisedUser(row, revisedFields(revised));
};

/** @param columns in the order in which they were named and removed */
export const namedOf = (columns: readonly RowOf<'named'>[]): readonly (readonly [string, boolean])[] =>
  columns.map(({ userId, administers }) => [userId, administers === 'true'] as const);

export const relationshipsOf = (fields: RelationFields): readonly RelationshipRow[] =>
  Object.entries<Relation | null>(fields as Readonly<Record<string, Relation | null>>)
    .flatMap(([field, relation]) => (relation === null ? [] : [{ userId: idIn(field), ...relation }]))
    .sort((a, b) => compareIds(a.userId, b.userId));

export const notificationsOf = (fields: SettingsFields): readonly NotificationsRow[] =>
  Object.entries<GuildNotifications>(fields as Readonly<Record<string, GuildNotifications>>)
    .map(([field, notifications]) => ({ guildId: idIn(field) === '' ? null : idIn(field), notifications }))
    .sort((a, b) => compareIds(a.guildId ?? '0', b.guildId ?? '0'));

/** @param rows in order of position */
export const relationTypesOf = (
  rows: readonly { readonly userId: string; readonly value: Relation | null }[],
): ReadonlyMap<string, RelationshipType> => {
  const last = new Map(rows.map(({ userId, value }) => [userId, value?.type]));
  return new Map([...last].flatMap(([userId, type]) => (type === undefined ? [] : [[userId, type]])));
};

export const relationRow = ({ userId, value }: RelationColumns) => ({
  userId,
  value: JSON.parse(value) as Relation | null,
});

export const leavingOf = (columns: readonly RowOf<'standings'>[]): readonly Leaving[] =>
  columns.flatMap(({ userId, standing }) => {
    const { due } = JSON.parse(standing) as Standing;
    return due === null ? [] : [{ userId, due }];
  });

type Added<Kind extends GuildChange['kind']> = Extract<GuildChange, { readonly kind: Kind }>;

export const addedGuild = ({ guild, position }: Added<'guild-added'>): GuildTables['guilds'] => ({
  id: guild.id,
  name: JSON.stringify(guild.name),
  owner_id: guild.ownerId,
  everyone: guild.everyone,
  created_at: position,
});

export const addedChannel = ({ channel }: Added<'channel-added'>): GuildTables['channels'] => ({
  id: channel.id,
  kind: channel.kind as GuildTables['channels']['kind'],
  guild_id: channel.guildId,
  name: JSON.stringify(channel.name),
  topic: JSON.stringify(channel.topic),
  overwrites: JSON.stringify(channel.overwrites),
  participants: JSON.stringify(channel.participants),
  created_at: channel.createdAt,
});

export const addedThread = ({ thread: row, position }: Added<'thread-added'>): GuildTables['threads'] => ({
  id: row.id,
  guild_id: row.guildId!,
  parent_id: row.thread!.parentId,
  is_private: Number(row.thread!.isPrivate),
  begun: JSON.stringify(row),
  created_at: position,
});

export const begunSpan = (threadId: string, guildId: string, position: number): GuildTables['thread_spans'] => ({
  ...{ thread_id: threadId, guild_id: guildId, began_at: position, ended_at: null, ended_time: null },
});

/** One row per participant. */
export const addedDirectChannels = ({ channel }: Added<'channel-added'>): GuildTables['direct_channels'][] =>
  [...new Set(channel.participants)].map((userId) => ({ user_id: userId, channel_id: channel.id }));

export const enteredDirectChannel = ({ userId, channelId }: Added<'recipient-added'>) =>
  ({ user_id: userId, channel_id: channelId }) satisfies GuildTables['direct_channels'];

export const begunStay = ({ member }: Added<'member-joined'>): GuildTables['memberships'] => ({
  guild_id: member.guildId,
  user_id: member.userId,
  joined_at: member.joinedAt,
  joined_time: member.joinedTime,
  left_at: null,
});

export const addedRevision = (change: Added<'revised'>): GuildTables['revisions'] => ({
  guild_id: change.guildId,
  subject: change.subject,
  field: change.field,
  position: change.position,
  value: JSON.stringify(change.value),
});

export const addedUser = ({ user, position }: Added<'user-added'>): GuildTables['users'] => ({
  id: user.id,
  kind: user.kind,
  owner_id: user.ownerId,
  sealed_by: user.sealed.by,
  box: user.sealed.box,
  sealed_in: user.sealedIn,
  registered_at: position,
});

export const addedUserRevision = (change: Added<'user-revised'>): GuildTables['user_revisions'] => ({
  user_id: change.userId,
  field: change.field,
  position: change.position,
  value: JSON.stringify(change.value),
});

export const addedSignOut = (change: Added<'user-signed-out'>): GuildTables['sign_outs'] => ({
  user_id: change.userId,
  position: change.position,
  signed_out: JSON.stringify(change.signedOut),
});

export const addedInvite = ({ invite, position }: Added<'invite-added'>): GuildTables['invites'] => ({
  code: invite.code,
  guild_id: invite.guildId,
  channel_id: invite.channelId,
  inviter_id: invite.inviterId,
  max_uses: invite.maxUses,
  created_at: position,
  created_time: invite.createdTime,
  expires_at: invite.expiresAt,
  deleted_at: null,
});
