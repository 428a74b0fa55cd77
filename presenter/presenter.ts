/** Turns rows of the read models into what clients see. This is the only place that opens sealed text for clients. */

import * as t from 'io-ts';
import type { Readers } from '../projections/port.ts';
import { type AuditReader, type AuditRow, auditRows, reasonFor } from '../projections/views/audit-log/view.ts';
import type { BanRow } from '../projections/views/bans/view.ts';
import type {
  ChannelRow,
  GuildReader,
  GuildRow,
  InviteRow,
  MemberRow,
  RelationshipRow,
} from '../projections/views/guild-views/view.ts';
import type { ReportRow } from '../projections/views/reports/view.ts';
import { type MessageRow, rowOfPosted, type TimelineReader } from '../projections/views/timelines/view.ts';
import type { ChannelHead } from '../projections/views/unread/view.ts';
import type { Sealed } from '../schemas/envelope.ts';
import type { EventOf, ParleyEvent } from '../schemas/events/catalogue.ts';
import type { MessageBody } from '../schemas/events/channel.ts';
import { sizedLru } from '../schemas/lru.ts';
import { type Soon, soon } from '../schemas/soon.ts';
import { memberStream } from '../schemas/streams.ts';
import type { TimeSlices } from '../schemas/time-slices.ts';
import { type KeyRing, openAs } from '../vault/sealing.ts';
import { peopleIn, presentAuditEntries, threadsIn } from './audit-log.ts';
import {
  NO_ROLES,
  presentDirectChannel,
  presentGuild,
  presentGuildChannel,
  presentInvite,
  presentMember,
} from './guilds.ts';
import { type MessageChange, MessagePresenter } from './messages.ts';
import { presentFullUser, presentProfile, presentSelf } from './profiles.ts';
import { namedIn, notesOf, presentOwnReport, presentReport, textsOf } from './reports.ts';
import type {
  ApiAuditEntry,
  ApiBan,
  ApiChannel,
  ApiFullUser,
  ApiGuild,
  ApiInvite,
  ApiMember,
  ApiMessage,
  ApiOwnReport,
  ApiProfile,
  ApiRelationship,
  ApiReport,
  ApiSelf,
  ApiUser,
} from './shapes.ts';
import { isThread, presentThread } from './threads.ts';
import { wireTime } from './time.ts';
import { UserPresenter, type WholeUser } from './users.ts';

export interface PresenterDeps {
  readonly views: Omit<Readers, 'timelines'>;
  /** Current single messages. */
  readonly timelines: TimelineReader;
  readonly keys: KeyRing;
  /** Long lists are opened in them. */
  readonly slices: TimeSlices;
  /** Where people reach this server; links begin with it. */
  readonly publicUrl: string | null;
}

export interface GuildCreateParts {
  readonly guild: GuildRow;
  /** The channels the viewer may see. */
  readonly channels: readonly ChannelRow[];
  /** The active threads that the viewer may see. */
  readonly threads: readonly ChannelRow[];
  readonly heads: ReadonlyMap<string, ChannelHead>;
  /** When each channel's most recent pin was set, in milliseconds since 1970. */
  readonly lastPinned: ReadonlyMap<string, number>;
  /** The viewer's own membership. */
  readonly member: MemberRow;
  /** The members to list, including the viewer. */
  readonly members: readonly MemberRow[];
  /** A guild with more members than this is large: clients request its member list instead of getting it at once. */
  readonly largeThreshold: number;
}

/** More than the messages posted between an answer and its dispatch, and than they take as they are sealed. */
const JUST_SAID = 1024;
const JUST_SAID_BYTES = 4_194_304;

const noneSaid = () =>
  sizedLru<EventOf<'message-posted'>, ApiMessage>(JUST_SAID, JUST_SAID_BYTES, (_, { data }) => data.sealed.box.length);

/** A reason, and the event that it is sealed in. */
export interface SealedReason {
  readonly stream: string;
  readonly eventId: string;
  readonly sealed: Sealed;
}

export class Presenter {
  private readonly guilds: GuildReader;
  private readonly audit: AuditReader;
  private readonly publicUrl: string | null;
  private readonly keys: KeyRing;
  private readonly userPresenter: UserPresenter;
  private readonly messagePresenter: MessagePresenter;
  private readonly timelines: TimelineReader;
  /**
   * The sender's answer and the dispatch show the same event moments apart, so the dispatch reuses the answer's
   * message.
   */
  private justSaid = noneSaid();

  constructor(deps: PresenterDeps) {
    this.guilds = deps.views.guilds;
    this.audit = deps.views.audit;
    this.publicUrl = deps.publicUrl;
    this.keys = deps.keys;
    this.timelines = deps.timelines;
    this.userPresenter = new UserPresenter(deps.views.guilds, deps.keys, deps.slices);
    this.messagePresenter = new MessagePresenter(this.userPresenter, deps);
  }

  /** An unknown or forgotten user is shown as a deleted user. */
  user(id: string): Promise<ApiUser> {
    return this.userPresenter.user(id);
  }

  /** The same in READY and at `/users/@me`. */
  async self(id: string): Promise<ApiSelf> {
    return presentSelf(await this.userPresenter.whole(id));
  }

  /** As everybody sees them who asks for this user. */
  async fullUser(id: string): Promise<ApiFullUser> {
    return presentFullUser(await this.userPresenter.whole(id));
  }

  /** @param shared the guilds that the asker shares with the user */
  async profile(id: string, shared: readonly string[]): Promise<ApiProfile> {
    return presentProfile(await this.userPresenter.whole(id), shared);
  }

  /** The user as the event left them. */
  changed(event: EventOf<'user-profile-changed'>): Promise<WholeUser> {
    return this.userPresenter.changed(event);
  }

  /** As the person sees them. */
  async relationships(rows: readonly RelationshipRow[]): Promise<readonly ApiRelationship[]> {
    const users = await this.users(rows.map(({ userId }) => userId));
    return rows.map(({ userId: id, type, since }) => {
      return { id, type, nickname: null, user: users.get(id)!, since: wireTime(since) };
    });
  }

  users(ids: Iterable<string>): Promise<Map<string, ApiUser>> {
    return this.userPresenter.users(ids);
  }

  async member(row: MemberRow): Promise<ApiMember> {
    return (await this.members([row]))[0]!;
  }

  async memberAs(row: MemberRow, user: ApiUser): Promise<ApiMember> {
    const guild = row.roles.length > 0 ? await this.guilds.guild(row.guildId) : undefined;
    const [nick] = await this.userPresenter.nicks([row]);
    return { user, ...presentMember(row, guild ?? NO_ROLES, nick!) };
  }

  /** Of one guild. */
  async members(rows: readonly MemberRow[]): Promise<ApiMember[]> {
    const guild = rows.some(({ roles }) => roles.length > 0) ? await this.guilds.guild(rows[0]!.guildId) : undefined;
    const [users, nicks] = [await this.users(rows.map((row) => row.userId)), await this.userPresenter.nicks(rows)];
    return rows.map((row, n) => ({
      user: users.get(row.userId)!,
      ...presentMember(row, guild ?? NO_ROLES, nicks[n]!),
    }));
  }

  /** Bans of one guild. */
  async bans(guildId: string, rows: readonly BanRow[]): Promise<ApiBan[]> {
    const users = await this.users(rows.map(({ userId }) => userId));
    const sealed = rows.map(({ userId, reason, sealedIn }) =>
      reason === null ? null : { stream: memberStream(guildId, userId), eventId: sealedIn, sealed: reason },
    );
    const reasons = await this.reasons(sealed);
    return rows.map(({ userId }, n) => ({ reason: reasons[n]!, user: users.get(userId)! }));
  }

  /** To those who reported. */
  async ownReports(rows: readonly ReportRow[]): Promise<ApiOwnReport[]> {
    const [texts, notes] = [await this.reasons(textsOf(rows)), await this.reasons(notesOf(rows))];
    return rows.map((row, n) => presentOwnReport(row, { text: texts[n]!, note: notes[n]! }));
  }

  /** To those who handle them. */
  async reports(rows: readonly ReportRow[]): Promise<ApiReport[]> {
    const [own, users] = [await this.ownReports(rows), await this.users(namedIn(rows))];
    const messages = await Promise.all(
      rows.map(async ({ channelId, messageId }) => {
        const row = await this.timelines.message(channelId, messageId, '');
        return row === undefined || row.deleted ? undefined : (await this.messages([row]))[0];
      }),
    );
    return rows.map((row, n) => presentReport(row, own[n]!, users, messages[n]));
  }

  /** Why somebody did something; null where nobody said so, or where the key is gone. */
  async reasons(sealed: readonly (SealedReason | null)[]): Promise<readonly (string | null)[]> {
    await this.keys.load(sealed.flatMap((one) => one?.sealed.by ?? []));
    return sealed.map((one) => {
      if (one === null) return null;
      return openAs(t.string, this.keys.cached(one.sealed.by) ?? undefined, one, one.sealed) ?? null;
    });
  }

  /** Entries of one guild's audit log. */
  async auditEntries(rows: readonly AuditRow[]): Promise<readonly ApiAuditEntry[]> {
    const reasons = await this.reasons(rows.map(reasonFor));
    return presentAuditEntries({ guilds: this.guilds, audit: this.audit, keys: this.keys }, rows, reasons);
  }

  /** The entries that an event makes. */
  async auditEntriesOf(event: ParleyEvent): Promise<readonly ApiAuditEntry[]> {
    return this.auditEntries(await auditRows(this.audit, event));
  }

  /** The people whom entries name, and the threads that they are about and that are there. */
  async namedIn(rows: readonly AuditRow[]): Promise<{ readonly users: ApiUser[]; readonly threads: ApiChannel[] }> {
    const users = await this.users(peopleIn(rows));
    const found = await Promise.all(threadsIn(rows).map((id) => this.guilds.channel(id)));
    const threads = found.filter((row) => row !== undefined && row.isDeleted !== true);
    return { users: [...users.values()], threads: await Promise.all(threads.map((row) => this.channel(row!, ''))) };
  }

  /** @param lastPinned when its most recent pin was set, in milliseconds since 1970. */
  async channel(row: ChannelRow, viewer: string, head?: ChannelHead, lastPinned?: number): Promise<ApiChannel> {
    if (isThread(row)) {
      const isIn = row.guildId !== null && Object.hasOwn(row.thread.members, viewer);
      const member = isIn ? await this.guilds.member(row.guildId, viewer) : undefined;
      return presentThread(row, { head, lastPinned, viewer: member });
    }
    if (row.guildId !== null) {
      const [placed] = await this.placed([row]);
      return presentGuildChannel(placed!, head, lastPinned);
    }
    const others = row.participants.filter((id) => id !== viewer);
    const users = await this.users(others);
    return presentDirectChannel(
      row,
      others.map((id) => users.get(id)!),
      head,
      lastPinned,
    );
  }

  /**
   * A category may be deleted while a channel is put into it: two streams decide that. What is deleted holds nothing.
   * @param rows channels that are there
   */
  private async placed(rows: readonly ChannelRow[]): Promise<readonly ChannelRow[]> {
    const there = new Set(rows.map(({ id }) => id));
    const categories = new Set(rows.flatMap(({ parentId }) => parentId ?? []));
    const others = [...categories].filter((id) => !there.has(id));
    const found = await Promise.all(others.map((id) => this.guilds.channel(id)));
    const gone = new Set(found.flatMap((row) => (row?.isDeleted === true ? [row.id] : [])));
    return rows.map((row) => (row.parentId !== null && gone.has(row.parentId) ? { ...row, parentId: null } : row));
  }

  guild(row: GuildRow): ApiGuild {
    return presentGuild(row);
  }

  /** The `d` of a GUILD_CREATE. */
  async guildCreate(parts: GuildCreateParts): Promise<Record<string, unknown>> {
    const channels = await this.placed(parts.channels);
    return {
      ...presentGuild(parts.guild),
      joined_at: wireTime(parts.member.joinedTime),
      large: parts.guild.memberCount > parts.largeThreshold,
      unavailable: false,
      member_count: parts.guild.memberCount,
      channels: channels.map((channel) =>
        presentGuildChannel(channel, parts.heads.get(channel.id), parts.lastPinned.get(channel.id)),
      ),
      members: await this.members(parts.members),
      threads: parts.threads.filter(isThread).map((row) =>
        presentThread(row, {
          ...{ head: parts.heads.get(row.id), lastPinned: parts.lastPinned.get(row.id), viewer: parts.member },
        }),
      ),
      presences: [],
      voice_states: [],
      stage_instances: [],
      guild_scheduled_events: [],
      soundboard_sounds: [],
    };
  }

  /** Returns them in the order of the rows. */
  async messages(rows: readonly MessageRow[]): Promise<ApiMessage[]> {
    const guildId = rows[0] === undefined ? null : ((await this.guilds.channel(rows[0].channelId))?.guildId ?? null);
    return this.messagePresenter.messages(rows, guildId);
  }

  /**
   * The `d` of a MESSAGE_CREATE.
   * @param said the text that the event seals, if its author has just written it: it need not be opened
   */
  posted(event: EventOf<'message-posted'>, guildId: string | null, said?: MessageBody): Soon<ApiMessage> {
    const known = this.justSaid.get(event);
    if (known !== undefined) {
      this.justSaid.delete(event);
      return known;
    }
    const shown = this.messagePresenter.dispatched(rowOfPosted(event), guildId, said);
    if (said === undefined) return shown;
    const { justSaid } = this;
    const keep = (message: ApiMessage): ApiMessage => {
      justSaid.set(event, message);
      return message;
    };
    return soon(shown, keep);
  }

  /** The `d` of a MESSAGE_UPDATE: the message as that event left it, or `undefined` if the message is gone. */
  async edited(event: MessageChange, guildId: string | null): Promise<ApiMessage | undefined> {
    return this.messagePresenter.edited(event, guildId);
  }

  /** What each of these events says. */
  texts(events: readonly EventOf<'message-posted' | 'message-edited'>[]): ReturnType<MessagePresenter['texts']> {
    return this.messagePresenter.texts(events);
  }

  async invite(row: InviteRow): Promise<ApiInvite | undefined> {
    const [guild, channel] = await Promise.all([this.guilds.guild(row.guildId), this.guilds.channel(row.channelId)]);
    if (guild === undefined || channel === undefined || channel.isDeleted === true) return undefined;
    const link = this.publicUrl === null ? undefined : `${this.publicUrl}/invite/${row.code}`;
    return presentInvite(row, { guild, channel, inviter: await this.user(row.inviterId) }, link);
  }

  /** Call with every event that this process receives or stores. */
  heard(event: ParleyEvent): void {
    if (event.type === 'user-profile-changed' || event.type === 'user-deleted') this.forget(event.data.userId);
  }

  forget(userId: string): void {
    this.userPresenter.forget(userId);
    // A cached message also shows the users it mentions and replies to, so all of them are dropped, and those under way.
    this.justSaid = noneSaid();
  }
}
