/**
 * The guild views while they lag behind the log: the events that they do not hold yet, which this node has received,
 * are applied to their rows. So rights are those of the streams, however late the views are.
 */

import { hasExpired } from '../../../domain/invite.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { NEVER_SIGNED_OUT } from '../../../schemas/events/user.ts';
import { latePage } from '../late-page.ts';
import { ADMINISTRATOR, type Positioned, type RecentGuildChanges } from './recent.ts';
import type {
  ChannelRow,
  GuildChange,
  GuildReader,
  GuildRow,
  InviteRow,
  MemberRow,
  Membership,
  UserRow,
} from './view.ts';

type Of<Kind extends GuildChange['kind']> = Positioned<Extract<GuildChange, { readonly kind: Kind }>>;
type Coming = Of<'member-joined'> | Of<'member-left'>;

const sizeChange = (changes: readonly Coming[]): number => {
  const [first, last] = [changes[0], changes.at(-1)];
  if (first === undefined || last === undefined) return 0;
  return Number(last.kind === 'member-joined') - Number(first.kind === 'member-left');
};

const userOf = (change: Coming): string => (change.kind === 'member-joined' ? change.member.userId : change.userId);
const guildOf = (change: Coming): string => (change.kind === 'member-joined' ? change.member.guildId : change.guildId);

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

  private isChanging(key: string): boolean {
    return this.ask(key).changes(key).length > 0;
  }

  async guild(id: string): Promise<GuildRow | undefined> {
    const { stored, changes } = this.ask(`guild:${id}`, `members:${id}`);
    const added = changes<Of<'guild-added'>>(`guild:${id}`)[0];
    const row = (await stored.guild(id)) ?? (added && { ...added.guild, memberCount: 0 });
    return row && this.counted(row, changes(`members:${id}`));
  }

  private counted(row: GuildRow, comings: readonly Coming[]): GuildRow {
    if (comings.length === 0) return row;
    const changed = [...grouped(comings, userOf).values()].reduce((sum, own) => sum + sizeChange(own), 0);
    return { ...row, memberCount: row.memberCount + changed };
  }

  async channel(id: string): Promise<ChannelRow | undefined> {
    const { stored, changes } = this.ask(`channel:${id}`);
    const row = await stored.channel(id);
    const added = changes<Of<'channel-added'>>(`channel:${id}`)[0]?.channel;
    if (row !== undefined || added === undefined) return row;
    if (added.guildId === null) return { ...added, order: 0 };
    return (await this.channelsOf(added.guildId)).find((one) => one.id === id);
  }

  async channelsOf(guildId: string): Promise<readonly ChannelRow[]> {
    const { stored, changes } = this.ask(`channels:${guildId}`);
    const rows = await stored.channelsOf(guildId);
    const added = changes<Of<'channel-added'>>(`channels:${guildId}`);
    return [...rows, ...added.map(({ channel }, index) => ({ ...channel, order: rows.length + index }))];
  }

  async member(guildId: string, userId: string): Promise<MemberRow | undefined> {
    const { stored, changes } = this.ask(`memberships:${userId}`);
    const last = changes<Coming>(`memberships:${userId}`).findLast((change) => guildOf(change) === guildId);
    if (last === undefined) return stored.member(guildId, userId);
    return last.kind === 'member-joined' ? last.member : undefined;
  }

  async members(guildId: string, query: { after?: string; limit: number }): Promise<readonly MemberRow[]> {
    const { stored, changes } = this.ask(`members:${guildId}`);
    const changed = new Map(
      changes<Coming>(`members:${guildId}`).map((change) => [
        userOf(change),
        change.kind === 'member-joined' ? change.member : undefined,
      ]),
    );
    return latePage({
      query,
      changed,
      idOf: ({ userId }) => userId,
      stored: (part) => stored.members(guildId, part),
    });
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
      .map((row) => (this.isChanging(`members:${row.id}`) ? this.guild(row.id) : row));
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
    return rows.filter(({ leftAt }) => leftAt === null || leftAt > since);
  }

  async directChannelsOf(userId: string): Promise<readonly ChannelRow[]> {
    const { stored, changes } = this.ask(`directs:${userId}`);
    const added = changes<Of<'channel-added'>>(`directs:${userId}`);
    return [...(await stored.directChannelsOf(userId)), ...added.map(({ channel }) => ({ ...channel, order: 0 }))];
  }

  async user(id: string): Promise<UserRow | undefined> {
    return (await this.users([id]))[0];
  }

  /** The views may hold users from beyond a position. */
  async users(ids: readonly string[]): Promise<readonly UserRow[]> {
    const { stored, changes } = this.ask(...ids.map((id) => `user:${id}`));
    const rows = await stored.users(ids);
    const found = new Set(rows.map(({ id }) => id));
    const of = (id: string) => changes<Of<'user-added'> | Of<'user-signed-out'>>(`user:${id}`);
    const added = ids
      .filter((id) => !found.has(id))
      .flatMap((id) => of(id).find((change) => change.kind === 'user-added') ?? [])
      .map(({ user }) => ({ ...user, signedOut: NEVER_SIGNED_OUT }));
    return [...rows, ...added].map((row) => {
      const last = of(row.id).findLast((change) => change.kind === 'user-signed-out');
      return last === undefined ? row : { ...row, signedOut: last.signedOut };
    });
  }

  /** A use of an invite without a cap may for a moment count twice, when the views hold it and this node has yet to hear so. */
  async invite(code: string): Promise<InviteRow | undefined> {
    const key = `invite:${code}`;
    const { stored, changes } = this.ask(key);
    const own = changes<Of<'invite-added'> | Of<'invite-used'>>(key);
    const added = own.find((change) => change.kind === 'invite-added')?.invite;
    const row = (await stored.invite(code)) ?? (added && { ...added, uses: 0 });
    const used = own.filter((change) => change.kind === 'invite-used' && change.capped === (row?.maxUses ?? 0) > 0);
    return row && { ...row, uses: row.uses + used.length };
  }

  async countApplications(ownerId: string): Promise<number> {
    const { stored, changes } = this.ask(`applications:${ownerId}`);
    return (await stored.countApplications(ownerId)) + changes(`applications:${ownerId}`).length;
  }

  /** Those that the views do not hold yet count as unused. */
  async countOpenInvites(guildId: string, inviterId: string, now: number): Promise<number> {
    const { stored, changes } = this.ask(`invites:${guildId}:${inviterId}`);
    const added = changes<Of<'invite-added'>>(`invites:${guildId}:${inviterId}`);
    const open = added.filter(({ invite }) => !hasExpired(invite, now)).length;
    return (await stored.countOpenInvites(guildId, inviterId, now)) + open;
  }

  async administrator(): Promise<string | undefined> {
    const { stored, changes } = this.ask(ADMINISTRATOR);
    const added = changes<Of<'user-added'>>(ADMINISTRATOR).find(({ user }) => user.kind === 'person')?.user.id;
    return (await stored.administrator()) ?? added;
  }
}
