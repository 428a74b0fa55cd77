/**
 * The guild views while they lag behind the log: the events that they do not hold yet, which this node has received,
 * are applied to their rows. So rights are those of the streams, however late the views are.
 */

import { isOpen } from '../../../domain/invite.ts';
import type { RelationshipType } from '../../../domain/relationship.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { NEVER_SIGNED_OUT } from '../../../schemas/events/user.ts';
import { latePage } from '../late-page.ts';
import { notificationsOf, relationshipsOf } from './queries.ts';
import { ADMINISTRATOR, ADMINISTRATORS, type Positioned, type RecentGuildChanges } from './recent.ts';
import { byId, inListOrder, revisedChannel, revisedGuild, revisedMember, revisedThread } from './revised.ts';
import {
  channelSubject,
  fieldsOf,
  memberSubject,
  type Relation,
  type RelationFields,
  type Revision,
  relationsSubject,
  type SettingsFields,
  settingsSubject,
  threadSubject,
} from './revisions.ts';
import {
  type ArchivedThread,
  type ArchiveQuery,
  administratorsOf,
  type ChannelRow,
  type GuildChange,
  type GuildReader,
  type GuildRow,
  type InviteRow,
  type Leaving,
  type MemberRow,
  type Membership,
  type NotificationsRow,
  type PastGuild,
  pastGuild,
  type RelationshipRow,
  type RevisionsQuery,
  revisedUser,
  rowOfGuild,
  rowOfUser,
  type UserFields,
  type UserRow,
} from './view.ts';

type Of<Kind extends GuildChange['kind']> = Positioned<Extract<GuildChange, { readonly kind: Kind }>>;
type Coming = Of<'member-joined'> | Of<'member-left'>;

/** What is kept of the members of a guild. */
type AboutMember = Coming | Of<'revised'>;
type AboutChannel = Of<'channel-added'> | Of<'thread-added'> | Of<'revised'>;
type AboutThread = Of<'thread-added'> | Of<'thread-active'> | Of<'thread-archived'> | Of<'revised'>;

const isRevision = (change: Positioned): change is Of<'revised'> => change.kind === 'revised';
const isComing = (change: AboutMember): change is Coming => change.kind !== 'revised';

const sizeChange = (changes: readonly Coming[]): number => {
  const [first, last] = [changes[0], changes.at(-1)];
  if (first === undefined || last === undefined) return 0;
  return Number(last.kind === 'member-joined') - Number(first.kind === 'member-left');
};

const userOf = (change: Coming): string => (change.kind === 'member-joined' ? change.member.userId : change.userId);
const guildOf = (change: Coming): string => (change.kind === 'member-joined' ? change.member.guildId : change.guildId);

/** Those of an earlier membership no longer count. */
const revisedSince = (row: MemberRow, revisions: readonly Of<'revised'>[]): MemberRow =>
  revisedMember(row, fieldsOf(revisions.filter(({ position }) => position > row.joinedAt)));

const byCode = (a: InviteRow, b: InviteRow): number => (a.code < b.code ? -1 : 1);

const grouped = <T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
};

interface CurrentOptions {
  readonly recent: RecentGuildChanges;
  /** Position through which the views hold every event, as far as this node knows. */
  readonly held: () => number;
  readonly now: GuildReader;
  /** The views as of a position that they hold. */
  readonly storedAt: (position: number) => GuildReader;
  /** As of which position to answer; absent: as far as this node has received the log. */
  readonly at?: number;
}

/** Whom to ask a question, and by key the changes to apply to the answer. */
interface Asked {
  readonly stored: GuildReader;
  readonly changes: <Change extends Positioned>(key: string) => readonly Change[];
}

const RETRY_SECONDS = 2;

export class CurrentGuilds implements GuildReader {
  private readonly options: CurrentOptions;

  constructor(options: CurrentOptions) {
    this.options = options;
  }

  /**
   * @param keys what the question is about: without changes to them the views answer as they are
   * @throws StoreUnavailable while the views are so late that nobody knows who has which rights
   */
  private ask(...keys: readonly string[]): Asked {
    const { recent, now, storedAt, at = Number.POSITIVE_INFINITY } = this.options;
    if (!recent.complete) throw new StoreUnavailable('guild-views', RETRY_SECONDS);
    const held = Math.min(this.options.held(), at);
    // Taken before the views are asked: they may hold more by the time they answer, and then the changes are dropped.
    const changes = new Map(keys.map((key) => [key, recent.of(key, held, at)]));
    const asTheyAre = at === Number.POSITIVE_INFINITY && [...changes.values()].every((found) => found.length === 0);
    return {
      stored: asTheyAre ? now : storedAt(held),
      changes: <Change extends Positioned>(key: string) => changes.get(key) as unknown as readonly Change[],
    };
  }

  private isChanging(...keys: readonly string[]): boolean {
    const { changes } = this.ask(...keys);
    return keys.some((key) => changes(key).length > 0);
  }

  async guild(id: string): Promise<GuildRow | undefined> {
    const { stored, changes } = this.ask(`guild:${id}`, `members:${id}`);
    const added = changes<Of<'guild-added'>>(`guild:${id}`)[0];
    const row = (await stored.guild(id)) ?? (added && rowOfGuild(added.guild));
    const revised = changes<Of<'guild-added'> | Of<'revised'>>(`guild:${id}`).filter(isRevision);
    const current = row && revised.length > 0 ? revisedGuild(row, fieldsOf(revised)) : row;
    if (current?.isDeleted === true) return undefined;
    return current && this.counted(current, changes<AboutMember>(`members:${id}`).filter(isComing));
  }

  private counted(row: GuildRow, comings: readonly Coming[]): GuildRow {
    if (comings.length === 0) return row;
    const changed = [...grouped(comings, userOf).values()].reduce((sum, own) => sum + sizeChange(own), 0);
    return { ...row, memberCount: row.memberCount + changed };
  }

  async channel(id: string): Promise<ChannelRow | undefined> {
    const { stored, changes } = this.ask(`channel:${id}`);
    const row = await stored.channel(id);
    const own = changes<AboutChannel>(`channel:${id}`);
    const begun = own.find((change) => change.kind === 'thread-added')?.thread;
    const thread = row?.thread === undefined ? begun : row;
    if (thread !== undefined) return revisedThread(thread, fieldsOf(own.filter(isRevision)));
    if (row !== undefined) return revisedChannel(row, fieldsOf(own.filter(isRevision)));
    const added = own.find((change) => change.kind === 'channel-added')?.channel;
    if (added === undefined) return undefined;
    if (added.guildId === null) return revisedChannel(added, fieldsOf(own.filter(isRevision)));
    return (await this.channelsOf(added.guildId)).find((one) => one.id === id);
  }

  async channelsOf(guildId: string): Promise<readonly ChannelRow[]> {
    const { stored, changes } = this.ask(`channels:${guildId}`);
    const rows = await stored.channelsOf(guildId);
    const recent = changes<AboutChannel>(`channels:${guildId}`);
    const added = recent.filter((change) => change.kind === 'channel-added');
    const revised = grouped(recent.filter(isRevision), ({ subject }) => subject);
    const all = [...rows, ...added.map(({ channel }, index) => ({ ...channel, order: rows.length + index }))];
    const current = all.map((row) => {
      const own = revised.get(channelSubject(row.id));
      return own === undefined ? row : revisedChannel(row, fieldsOf(own));
    });
    return inListOrder(current);
  }

  async threadsOf(guildId: string, since?: number): Promise<readonly ChannelRow[]> {
    const { stored, changes } = this.ask(`threads:${guildId}`);
    const rows = new Map((await stored.threadsOf(guildId, since)).map((row) => [row.id, row]));
    const recent = changes<AboutThread>(`threads:${guildId}`);
    const added = new Map(recent.flatMap((one) => (one.kind === 'thread-added' ? [[one.thread.id, one.thread]] : [])));
    for (const change of recent) {
      if (change.kind === 'thread-added') rows.set(change.thread.id, change.thread);
      if (change.kind === 'thread-archived' && !(change.position > (since ?? Number.POSITIVE_INFINITY)))
        rows.delete(change.threadId);
      if (change.kind === 'thread-active') {
        const row = added.get(change.threadId) ?? (await stored.channel(change.threadId));
        if (row !== undefined) rows.set(change.threadId, row);
      }
    }
    const revised = grouped(recent.filter(isRevision), ({ subject }) => subject);
    const current = [...rows.values()].map((row) => {
      const own = revised.get(threadSubject(row.id));
      return own === undefined ? row : revisedThread(row, fieldsOf(own));
    });
    return current.filter(({ isDeleted }) => isDeleted !== true).sort(byId);
  }

  /** As the views hold them: whether a thread is to be archived is decided in its stream. */
  activeThreads(query: { after?: string; limit: number }): Promise<readonly ChannelRow[]> {
    return this.ask().stored.activeThreads(query);
  }

  /** As the views hold them: whoever asks looks at each of the threads. */
  async archivedThreads(query: ArchiveQuery): Promise<readonly ArchivedThread[]> {
    return this.ask(`channel:${query.parentId}`).stored.archivedThreads(query);
  }

  async member(guildId: string, userId: string): Promise<MemberRow | undefined> {
    const key = memberSubject(guildId, userId);
    const { stored, changes } = this.ask(`memberships:${userId}`, key);
    const last = changes<Coming>(`memberships:${userId}`).findLast((change) => guildOf(change) === guildId);
    const revised = changes<Of<'revised'>>(key);
    if (last?.kind === 'member-left') return undefined;
    const row = last === undefined ? await stored.member(guildId, userId) : last.member;
    return row && revisedSince(row, revised);
  }

  async members(guildId: string, query: { after?: string; limit: number }): Promise<readonly MemberRow[]> {
    const { stored, changes } = this.ask(`members:${guildId}`);
    const recent = changes<AboutMember>(`members:${guildId}`);
    const changed = new Map(
      recent
        .filter(isComing)
        .map((change) => [userOf(change), change.kind === 'member-joined' ? change.member : undefined]),
    );
    const revised = grouped(recent.filter(isRevision), ({ subject }) => subject);
    const page = await latePage<MemberRow>({
      query,
      changed,
      idOf: ({ userId }) => userId,
      stored: (part) => stored.members(guildId, part),
    });
    return page.map((row) => revisedSince(row, revised.get(memberSubject(guildId, row.userId)) ?? []));
  }

  async guildsOf(userId: string): Promise<readonly GuildRow[]> {
    const { stored, changes } = this.ask(`memberships:${userId}`);
    const last = new Map(changes<Coming>(`memberships:${userId}`).map((change) => [guildOf(change), change]));
    const rows = await stored.guildsOf(userId);
    const joined = [...last.values()]
      .filter((change) => change.kind === 'member-joined')
      .sort((a, b) => a.position - b.position);
    const added = await Promise.all(joined.map(({ member }) => this.guild(member.guildId)));
    const counted = rows
      .filter(({ id }) => !last.has(id))
      .map((row) => (this.isChanging(`members:${row.id}`, `guild:${row.id}`) ? this.guild(row.id) : row));
    return [...(await Promise.all(counted)), ...added].filter((row) => row !== undefined);
  }

  async memberships(userId: string, since: number): Promise<readonly Membership[]> {
    const { stored, changes } = this.ask(`memberships:${userId}`);
    const rows = [...(await stored.memberships(userId, since))];
    for (const change of changes<Coming>(`memberships:${userId}`)) {
      const guildId = guildOf(change);
      const open = rows.findIndex((row) => row.guildId === guildId && row.leftAt === null);
      if (change.kind === 'member-joined') {
        if (open === -1) rows.push({ guildId, joinedAt: change.position, leftAt: null });
      } else if (open !== -1) rows[open] = { ...rows[open]!, leftAt: change.position };
    }
    const ended = rows.map((row) => (row.leftAt === null ? { ...row, leftAt: this.deletedAt(row.guildId) } : row));
    return ended.filter(({ leftAt }) => leftAt === null || leftAt > since);
  }

  /** With a guild that is deleted all memberships end. */
  private deletedAt(guildId: string): number | null {
    const own = this.ask(`guild:${guildId}`).changes<Of<'guild-added'> | Of<'revised'>>(`guild:${guildId}`);
    return own.filter(isRevision).find(({ field }) => field === 'isDeleted')?.position ?? null;
  }

  async directChannelsOf(userId: string): Promise<readonly ChannelRow[]> {
    const { stored, changes } = this.ask(`directs:${userId}`);
    const rows = new Map((await stored.directChannelsOf(userId)).map((row) => [row.id, row]));
    const added = changes<Of<'channel-added'> | Of<'recipient-added'>>(`directs:${userId}`);
    const entered = added.map((change) => (change.kind === 'channel-added' ? change.channel.id : change.channelId));
    // A group may have other people and another name by now.
    const current = [...new Set([...rows.keys(), ...entered])].map((id) =>
      this.isChanging(`channel:${id}`) || !rows.has(id) ? this.channel(id) : rows.get(id),
    );
    return (await Promise.all(current))
      .flatMap((row) => (row?.participants.includes(userId) === true ? [row] : []))
      .sort((a, b) => a.createdAt - b.createdAt);
  }

  async user(id: string): Promise<UserRow | undefined> {
    return (await this.users([id]))[0];
  }

  /** The views may hold users from beyond a position. */
  async users(ids: readonly string[]): Promise<readonly UserRow[]> {
    const { stored, changes } = this.ask(...ids.map((id) => `user:${id}`));
    const rows = await stored.users(ids);
    const found = new Set(rows.map(({ id }) => id));
    const of = (id: string) => changes<Of<'user-added'> | Of<'user-signed-out'> | Of<'user-revised'>>(`user:${id}`);
    const added = ids
      .filter((id) => !found.has(id))
      .flatMap((id) => of(id).find((change) => change.kind === 'user-added') ?? [])
      .map(({ user }) => rowOfUser(user, NEVER_SIGNED_OUT));
    return [...rows, ...added].map((row) => {
      const own = of(row.id);
      const last = own.findLast((change) => change.kind === 'user-signed-out');
      const revised = own.filter((change) => change.kind === 'user-revised');
      const current = last === undefined ? row : { ...row, signedOut: last.signedOut };
      return revised.length === 0 ? current : revisedUser(current, fieldsOf<UserFields>(revised));
    });
  }

  /** A use of an invite without a cap may for a moment count twice, when the views hold it and this node has yet to hear so. */
  async invite(code: string): Promise<InviteRow | undefined> {
    const key = `invite:${code}`;
    const { stored, changes } = this.ask(key);
    const own = changes<Of<'invite-added'> | Of<'invite-used'> | Of<'invite-removed'>>(key);
    if (own.some((change) => change.kind === 'invite-removed')) return undefined;
    const added = own.find((change) => change.kind === 'invite-added')?.invite;
    const row = (await stored.invite(code)) ?? (added && { ...added, uses: 0 });
    const used = own.filter((change) => change.kind === 'invite-used' && change.capped === (row?.maxUses ?? 0) > 0);
    return row && { ...row, uses: row.uses + used.length };
  }

  async invitesOf(guildId: string): Promise<readonly InviteRow[]> {
    const { stored, changes } = this.ask(`invites:${guildId}`);
    const rows = await stored.invitesOf(guildId);
    const recent = changes<Of<'invite-added'> | Of<'invite-removed'>>(`invites:${guildId}`);
    const added = recent.flatMap((change) => (change.kind === 'invite-added' ? [{ ...change.invite, uses: 0 }] : []));
    const current = [...rows, ...added].map((row) =>
      this.isChanging(`invite:${row.code}`) ? this.invite(row.code) : row,
    );
    return (await Promise.all(current)).filter((row) => row !== undefined).sort(byCode);
  }

  /** Those that became public in the meantime follow when the views hold it; what they are called is current. */
  async publicGuilds(limit: number): Promise<readonly GuildRow[]> {
    const rows = await this.ask().stored.publicGuilds(limit);
    const current = await Promise.all(rows.map(({ id }) => this.guild(id)));
    return current.flatMap((row) => (row?.isPublic === true ? [row] : []));
  }

  async countApplications(ownerId: string): Promise<number> {
    const { stored, changes } = this.ask(`applications:${ownerId}`);
    return (await stored.countApplications(ownerId)) + changes(`applications:${ownerId}`).length;
  }

  async countOpenInvites(guildId: string, inviterId: string, now: number): Promise<number> {
    if (!this.isChanging(`invites:${guildId}`, `channels:${guildId}`))
      return this.ask().stored.countOpenInvites(guildId, inviterId, now);
    const [invites, channels] = await Promise.all([this.invitesOf(guildId), this.channelsOf(guildId)]);
    const gone = new Set(channels.flatMap(({ id, isDeleted }) => (isDeleted === true ? [id] : [])));
    return invites.filter(
      (one) => one.inviterId === inviterId && isOpen(one, one.uses, now) && !gone.has(one.channelId),
    ).length;
  }

  async past(guildId: string, userId: string, position: number): Promise<PastGuild | undefined> {
    return pastGuild(new CurrentGuilds({ ...this.options, at: position }), guildId, userId);
  }

  async revisions(userId: string, query: RevisionsQuery): Promise<readonly Revision[]> {
    const keys = query.guildIds.map((guildId) => `revisions:${guildId}`);
    const { stored, changes } = this.ask(...keys);
    const rows = await stored.revisions(userId, query);
    const recent = keys
      .flatMap((key) => changes<Of<'revised'>>(key))
      .filter(({ guildId, subject, field, position }) => {
        const isOthers =
          (subject.startsWith('member:') && subject !== memberSubject(guildId, userId)) ||
          (field.startsWith('joined:') && field !== `joined:${userId}`);
        return position > query.after && !isOthers && field !== 'deleted';
      })
      .sort((a, b) => a.position - b.position);
    return [...rows, ...recent].slice(0, query.limit);
  }

  async relationships(userId: string): Promise<readonly RelationshipRow[]> {
    const key = relationsSubject(userId);
    const { stored, changes } = this.ask(key);
    const rows = await stored.relationships(userId);
    const recent = changes<Of<'revised'>>(key);
    if (recent.length === 0) return rows;
    const before = rows.map(({ userId: other, ...relation }) => [`relation:${other}`, relation] as const);
    return relationshipsOf({ ...Object.fromEntries(before), ...fieldsOf<RelationFields>(recent) });
  }

  async notifications(userId: string): Promise<readonly NotificationsRow[]> {
    const key = settingsSubject(userId);
    const { stored, changes } = this.ask(key);
    const rows = await stored.notifications(userId);
    const recent = changes<Of<'revised'>>(key);
    if (recent.length === 0) return rows;
    const before = rows.map(({ guildId, notifications }) => [`guild:${guildId ?? ''}`, notifications] as const);
    return notificationsOf({ ...Object.fromEntries(before), ...fieldsOf<SettingsFields>(recent) });
  }

  async relationsTo(userId: string, people: readonly string[]): Promise<ReadonlyMap<string, RelationshipType>> {
    const keys = people.map(relationsSubject);
    const { stored, changes } = this.ask(...keys);
    const relations = new Map(await stored.relationsTo(userId, people));
    for (const key of keys)
      for (const change of changes<Of<'revised'>>(key)) {
        if (change.field !== `relation:${userId}`) continue;
        if (change.value === null) relations.delete(change.guildId);
        else relations.set(change.guildId, (change.value as Relation).type);
      }
    return relations;
  }

  async administrator(): Promise<string | undefined> {
    const { stored, changes } = this.ask(ADMINISTRATOR);
    const added = changes<Of<'user-added'>>(ADMINISTRATOR).find(({ user }) => user.kind === 'person')?.user.id;
    return (await stored.administrator()) ?? added;
  }

  /** As the views know it: nobody is to be deleted in the moment by which they are late. */
  leaving(): Promise<readonly Leaving[]> {
    return this.ask().stored.leaving();
  }

  async administrators(): Promise<readonly string[]> {
    const { stored, changes } = this.ask(ADMINISTRATORS, ADMINISTRATOR);
    const named = changes<Of<'user-revised'>>(ADMINISTRATORS).map(
      ({ userId, value }) => [userId, value === true] as const,
    );
    const [known, first] = await Promise.all([stored.administrators(), stored.administrator()]);
    const before = known.map((userId) => [userId, true] as const);
    return administratorsOf(first === undefined ? await this.administrator() : undefined, [...before, ...named]);
  }
}
