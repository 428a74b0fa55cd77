/**
 * Guild views cached in a node's memory, so that a message costs no query and can be sent while the store is down. When
 * this node receives a structural event, it drops the rows that the event concerns; it receives every such event, in
 * position order and before any later dispatch. Missing rows are not cached, so what others have just created is found.
 */

import { type ByType, handlerOf, type ParleyEvent, type TypesChanging } from '../../../schemas/events/catalogue.ts';
import { lru, sizedLru } from '../../../schemas/lru.ts';
import { roughBytes } from '../../../schemas/sizes.ts';
import type { Soon } from '../../../schemas/soon.ts';
import { keepRelations, keptRelations, type RelationCache, relationKey } from './relations.ts';
import type { ChannelRow, GuildReader, GuildRow, MemberRow, UserRow } from './view.ts';

const KEPT = 50_000;
const KEPT_BYTES = 67_108_864;

type Row = GuildRow | ChannelRow | MemberRow | UserRow | readonly ChannelRow[] | string | readonly string[];

const guildKey = (id: string) => `guild:${id}`;
const channelKey = (id: string) => `channel:${id}`;
const channelsKey = (guildId: string) => `channels:${guildId}`;
const memberKey = (guildId: string, userId: string) => `member:${guildId}_${userId}`;
const userKey = (id: string) => `user:${id}`;
const ADMINISTRATOR = 'administrator';
const ADMINISTRATORS = 'administrators';

const ofMembership = ({ data }: { readonly data: { readonly guildId: string; readonly userId: string } }) => [
  memberKey(data.guildId, data.userId),
  guildKey(data.guildId),
];

const ofMember = ({ data }: { readonly data: { readonly guildId: string; readonly userId: string } }) => [
  memberKey(data.guildId, data.userId),
];

const ofGuild = ({ data }: { readonly data: { readonly guildId: string } }) => [guildKey(data.guildId)];

const ofChannel = ({ data }: { readonly data: { readonly guildId: string; readonly channelId: string } }) => [
  channelKey(data.channelId),
  channelsKey(data.guildId),
];

const ofUser = ({ data }: { readonly data: { readonly userId: string } }) => [userKey(data.userId)];
const ofThread = ({ data }: { readonly data: { readonly channelId: string } }) => [channelKey(data.channelId)];
const ofGroup = ofThread;

/** Keys of the rows that an event changes; invites are not cached. */
const keysOf: ByType<TypesChanging<'guild-views'>, [], readonly string[]> = {
  'guild-created': ({ data }) => [guildKey(data.guildId)],
  'channel-created': ({ data: { channelId, guildId } }) =>
    guildId === null ? [channelKey(channelId)] : [channelKey(channelId), channelsKey(guildId)],
  'channel-edited': ofChannel,
  'channel-deleted': ofChannel,
  'recipient-added': ofGroup,
  'recipient-removed': ofGroup,
  'group-edited': ofGroup,
  'thread-created': ofThread,
  'thread-edited': ofThread,
  'thread-members-changed': ofThread,
  'thread-shrank': ofThread,
  'thread-deleted': ofThread,
  'guild-edited': ofGuild,
  'guild-transferred': ofGuild,
  'guild-paused': ofGuild,
  'guild-deleted': ofGuild,
  'member-joined': ofMembership,
  'member-left': ofMembership,
  'role-created': ofGuild,
  'role-edited': ofGuild,
  'roles-moved': ofGuild,
  'role-deleted': ofGuild,
  'member-roles-changed': ofMember,
  'member-renamed': ofMember,
  'member-timed-out': ofMember,
  'overwrite-set': ofChannel,
  'overwrite-deleted': ofChannel,
  // An earlier registration may reach the store later.
  'user-registered': ({ data }) => [userKey(data.userId), ADMINISTRATOR, ADMINISTRATORS],
  'user-signed-out': ofUser,
  'user-profile-changed': ofUser,
  'user-standing-changed': ofUser,
  'user-deleted': ofUser,
  'administrator-changed': ({ data }) => [userKey(data.userId), ADMINISTRATORS],
  'relationship-changed': ({ data: { people } }) => people.map((userId, n) => relationKey(userId, people[1 - n]!)),
  'notifications-changed': () => [],
  'invite-created': () => [],
  'invite-redeemed': () => [],
  'invite-deleted': () => [],
};

export class CachedGuilds implements GuildReader {
  private readonly reader: GuildReader;
  private readonly held: () => number;
  private readonly rows = sizedLru<string, Row>(KEPT, KEPT_BYTES, roughBytes);
  private readonly relations: RelationCache = lru(KEPT);
  /**
   * Number of changes received, and the position of the last. Rows read while the store lacks that change are not
   * cached.
   */
  private changes = 0;
  private lastChange = 0;
  private from = Number.POSITIVE_INFINITY;

  /** @param held position through which the store holds every event, as far as this node knows */
  constructor(reader: GuildReader, held: () => number) {
    this.reader = reader;
    this.held = held;
  }

  /** This node receives every event beyond `position`. Nothing is cached until the store has reached it. */
  hearsFrom(position: number): void {
    this.from = position;
  }

  /** Call with every event that this node receives. */
  heard(event: ParleyEvent): void {
    const keys = handlerOf(keysOf, event)?.(event);
    if (keys === undefined || keys.length === 0) return;
    for (const key of keys) {
      this.rows.delete(key);
      this.relations.delete(key);
    }
    this.changes += 1;
    this.lastChange = Math.max(this.lastChange, event.position);
  }

  private kept<R extends Row>(key: string, load: () => Soon<R | undefined>): Soon<R | undefined> {
    const known = this.rows.get(key);
    return known === undefined ? this.read(key, load) : (known as R);
  }

  private async read<R extends Row>(key: string, load: () => Soon<R | undefined>): Promise<R | undefined> {
    const mayKeep = this.beforeReading();
    const row = await load();
    if (row !== undefined && mayKeep()) this.rows.set(key, row);
    return row;
  }

  /**
   * Call before a read begins. The store must hold the last change by then: a row that is read while the store stores
   * a change may be from before it, although the store holds the change once the row arrives.
   * @returns whether the row that was read may be cached
   */
  private beforeReading(): () => boolean {
    const { changes } = this;
    const isCurrent = this.held() >= Math.max(this.from, this.lastChange);
    return () => isCurrent && changes === this.changes;
  }

  guild: GuildReader['guild'] = (id) => this.kept(guildKey(id), () => this.reader.guild(id));
  channel: GuildReader['channel'] = (id) => this.kept(channelKey(id), () => this.reader.channel(id));
  member: GuildReader['member'] = (guildId, userId) =>
    this.kept(memberKey(guildId, userId), () => this.reader.member(guildId, userId));
  user: GuildReader['user'] = async (id) => this.kept(userKey(id), () => this.reader.user(id));
  administrator: GuildReader['administrator'] = async () => this.kept(ADMINISTRATOR, () => this.reader.administrator());
  administrators: GuildReader['administrators'] = async () =>
    (await this.kept(ADMINISTRATORS, () => this.reader.administrators())) ?? [];
  channelsOf: GuildReader['channelsOf'] = async (guildId) =>
    (await this.kept(channelsKey(guildId), () => this.reader.channelsOf(guildId))) ?? [];

  async users(ids: readonly string[]): Promise<readonly UserRow[]> {
    const known = ids.flatMap((id) => (this.rows.get(userKey(id)) as UserRow | undefined) ?? []);
    if (known.length === ids.length) return known;
    const found = new Set(known.map((row) => row.id));
    const mayKeep = this.beforeReading();
    const others = await this.reader.users(ids.filter((id) => !found.has(id)));
    if (mayKeep()) for (const row of others) this.rows.set(userKey(row.id), row);
    return [...known, ...others];
  }

  async relationsTo(userId: string, people: readonly string[]) {
    const kept = keptRelations(this.relations, userId, people);
    if (kept !== undefined) return kept;
    const mayKeep = this.beforeReading();
    const found = await this.reader.relationsTo(userId, people);
    if (mayKeep()) keepRelations(this.relations, userId, people, found);
    return found;
  }

  threadsOf: GuildReader['threadsOf'] = (...query) => this.reader.threadsOf(...query);
  activeThreads: GuildReader['activeThreads'] = (...query) => this.reader.activeThreads(...query);
  archivedThreads: GuildReader['archivedThreads'] = (...query) => this.reader.archivedThreads(...query);
  members: GuildReader['members'] = (...query) => this.reader.members(...query);
  guildsOf: GuildReader['guildsOf'] = (...query) => this.reader.guildsOf(...query);
  memberships: GuildReader['memberships'] = (...query) => this.reader.memberships(...query);
  directChannelsOf: GuildReader['directChannelsOf'] = (...query) => this.reader.directChannelsOf(...query);
  invite: GuildReader['invite'] = (...query) => this.reader.invite(...query);
  invitesOf: GuildReader['invitesOf'] = (...query) => this.reader.invitesOf(...query);
  publicGuilds: GuildReader['publicGuilds'] = (...query) => this.reader.publicGuilds(...query);
  countApplications: GuildReader['countApplications'] = (...query) => this.reader.countApplications(...query);
  countOpenInvites: GuildReader['countOpenInvites'] = (...query) => this.reader.countOpenInvites(...query);
  notifications: GuildReader['notifications'] = (...query) => this.reader.notifications(...query);
  relationships: GuildReader['relationships'] = (...query) => this.reader.relationships(...query);
  leaving: GuildReader['leaving'] = () => this.reader.leaving();
  past: GuildReader['past'] = (...query) => this.reader.past(...query);
  revisions: GuildReader['revisions'] = (...query) => this.reader.revisions(...query);
}
