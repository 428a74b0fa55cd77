/** The changes of one batch, gathered so that each table is written by one statement, whatever their number. */
import type { GuildChange } from '../port.ts';
import type { GuildTables } from '../tables.ts';

type Stay = GuildTables['memberships'];
type Ended = Pick<Stay, 'guild_id' | 'user_id' | 'left_at'>;

/** What happened to one person in one guild: a stay known before may end, others begin, all but the last end too. */
interface Coming {
  ended: Ended | undefined;
  readonly stays: Stay[];
}

interface Uses {
  readonly code: string;
  redeemed: number;
  joined: number;
}

export class GuildBatch {
  readonly guilds: GuildTables['guilds'][] = [];
  readonly channels: GuildTables['channels'][] = [];
  readonly directChannels: GuildTables['direct_channels'][] = [];
  readonly users: GuildTables['users'][] = [];
  readonly invites: GuildTables['invites'][] = [];
  private readonly used = new Map<string, Uses>();
  private readonly comings = new Map<string, Coming>();

  constructor(changes: readonly GuildChange[]) {
    for (const change of changes) this.add(change);
  }

  private add(change: GuildChange): void {
    switch (change.kind) {
      case 'guild-added': {
        const { id, name, ownerId, everyone } = change.guild;
        this.guilds.push({ id, name: JSON.stringify(name), owner_id: ownerId, everyone, created_at: change.position });
        return;
      }
      case 'channel-added': {
        const c = change.channel;
        this.channels.push({
          id: c.id,
          kind: c.kind,
          guild_id: c.guildId,
          name: JSON.stringify(c.name),
          topic: JSON.stringify(c.topic),
          overwrites: JSON.stringify(c.overwrites),
          participants: JSON.stringify(c.participants),
          created_at: c.createdAt,
        });
        for (const userId of new Set(c.participants)) this.directChannels.push({ user_id: userId, channel_id: c.id });
        return;
      }
      case 'member-joined': {
        const { guildId, userId, joinedAt, joinedTime } = change.member;
        const { stays } = this.comingOf(guildId, userId);
        if (stays.at(-1)?.left_at === null) return;
        stays.push({ guild_id: guildId, user_id: userId, joined_at: joinedAt, joined_time: joinedTime, left_at: null });
        return;
      }
      case 'member-left': {
        const coming = this.comingOf(change.guildId, change.userId);
        const last = coming.stays.pop();
        if (last === undefined)
          coming.ended ??= { guild_id: change.guildId, user_id: change.userId, left_at: change.position };
        else coming.stays.push(last.left_at === null ? { ...last, left_at: change.position } : last);
        return;
      }
      case 'user-added': {
        const { id, kind, ownerId, sealed, sealedIn } = change.user;
        this.users.push({
          id,
          kind,
          owner_id: ownerId,
          sealed_by: sealed.by,
          box: sealed.box,
          sealed_in: sealedIn,
          registered_at: change.position,
        });
        return;
      }
      case 'invite-added': {
        const i = change.invite;
        this.invites.push({
          code: i.code,
          guild_id: i.guildId,
          channel_id: i.channelId,
          inviter_id: i.inviterId,
          max_uses: i.maxUses,
          created_time: i.createdTime,
          expires_at: i.expiresAt,
        });
        return;
      }
      case 'invite-used': {
        const { code, capped } = change;
        const uses = this.used.get(code) ?? { code, redeemed: 0, joined: 0 };
        uses[capped ? 'redeemed' : 'joined'] += 1;
        this.used.set(code, uses);
        return;
      }
    }
  }

  private comingOf(guildId: string, userId: string): Coming {
    const key = `${guildId}_${userId}`;
    let coming = this.comings.get(key);
    if (coming === undefined) {
      coming = { ended: undefined, stays: [] };
      this.comings.set(key, coming);
    }
    return coming;
  }

  /** Ends of stays that began before this batch. */
  ended(): readonly Ended[] {
    return [...this.comings.values()].flatMap(({ ended }) => ended ?? []);
  }

  begun(): readonly Stay[] {
    return [...this.comings.values()].flatMap(({ stays }) => stays);
  }

  uses(): readonly Uses[] {
    return [...this.used.values()];
  }
}
