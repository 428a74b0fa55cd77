/** The changes of one batch, gathered so that each table is written by one statement, whatever their number. */
import type { GuildChange, MemberRow } from '../port.ts';
import { addedChannel, addedDirectChannels, addedGuild, addedInvite, addedUser, begunStay } from '../rows.ts';
import type { GuildTables } from '../tables.ts';

type Stay = GuildTables['memberships'];
type Ended = Pick<Stay, 'guild_id' | 'user_id' | 'left_at'>;

/** What happened to one person in one guild: a stay known before may end, others begin, all but the last end too. */
interface Coming {
  ended: Ended | undefined;
  readonly stays: Stay[];
}

export class GuildBatch {
  readonly guilds: GuildTables['guilds'][] = [];
  readonly channels: GuildTables['channels'][] = [];
  readonly directChannels: GuildTables['direct_channels'][] = [];
  readonly users: GuildTables['users'][] = [];
  readonly invites: GuildTables['invites'][] = [];
  readonly redemptions: GuildTables['redemptions'][] = [];
  /** By what invite somebody joined, by the position of the joining. */
  readonly invitedBy = new Map<number, string>();
  private readonly comings = new Map<string, Coming>();

  constructor(changes: readonly GuildChange[]) {
    for (const change of changes) this.add(change);
  }

  private add(change: GuildChange): void {
    switch (change.kind) {
      case 'guild-added':
        this.guilds.push(addedGuild(change));
        return;
      case 'channel-added':
        this.channels.push(addedChannel(change));
        this.directChannels.push(...addedDirectChannels(change));
        return;
      case 'member-joined': {
        const { stays } = this.comingOf(change.member);
        if (stays.at(-1)?.left_at !== null) stays.push(begunStay(change));
        return;
      }
      case 'member-left': {
        const coming = this.comingOf(change);
        const last = coming.stays.pop();
        if (last === undefined)
          coming.ended ??= { guild_id: change.guildId, user_id: change.userId, left_at: change.position };
        else coming.stays.push(last.left_at === null ? { ...last, left_at: change.position } : last);
        return;
      }
      case 'user-added':
        this.users.push(addedUser(change));
        return;
      case 'invite-added':
        this.invites.push(addedInvite(change));
        return;
      case 'invite-used': {
        const { code, position } = change;
        if (change.capped) this.redemptions.push({ code, position });
        else this.invitedBy.set(position, code);
        return;
      }
    }
  }

  private comingOf({ guildId, userId }: Pick<MemberRow, 'guildId' | 'userId'>): Coming {
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
}
