/** For specs of the presenter: rows sealed under real keys, and readers that hold them. */

import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { Readers } from '../projections/port.ts';
import type { AuditReader } from '../projections/views/audit-log/view.ts';
import {
  type ChannelRow,
  type GuildReader,
  type GuildRow,
  type MemberRow,
  rowOfGuild,
  type UserRow,
} from '../projections/views/guild-views/view.ts';
import type { PinReader } from '../projections/views/pins/view.ts';
import type { MessageRow, TimelineReader } from '../projections/views/timelines/view.ts';
import { type EventOf, versionOf } from '../schemas/events/catalogue.ts';
import { formerMessageType } from '../schemas/events/channel.ts';
import { GOOD_STANDING, NEVER_SIGNED_OUT } from '../schemas/events/user.ts';
import { channelStream, userStream } from '../schemas/streams.ts';
import { TimeSlices } from '../schemas/time-slices.ts';
import type { Vault } from '../vault/port.ts';
import { KeyRing, sealText } from '../vault/sealing.ts';
import { Presenter } from './presenter.ts';

export const NOW = 1_700_000_000_000;
export const CHANNEL = '20';

export const guild: GuildRow = rowOfGuild({ id: '10', name: 'Guild', ownerId: '1', everyone: '1024' }, 2);
export const textChannel: ChannelRow = {
  ...{ id: CHANNEL, kind: 'text', guildId: guild.id, name: 'general', topic: 'all', participants: [] },
  ...{
    overwrites: [{ id: '10', type: 0, allow: '0', deny: '2048' }],
    order: 3,
    createdAt: 1,
    nsfw: false,
    parentId: null,
    slowmode: 0,
  },
};
export const directChannel: ChannelRow = {
  ...{ id: '30', kind: 'dm', guildId: null, name: null, topic: null, overwrites: [], participants: ['1', '2'] },
  ...{ order: 0, createdAt: 1, nsfw: false, parentId: null, slowmode: 0 },
};
export const member: MemberRow = {
  guildId: guild.id,
  userId: '2',
  joinedTime: NOW,
  joinedAt: 5,
  roles: [],
  nick: null,
  timedOutUntil: null,
};

/** Users and messages whose text is sealed. Specs can destroy any key. */
export class Shown {
  readonly users: UserRow[] = [];
  readonly rows: MessageRow[] = [];
  /** Look-ups of users, which show what was cached. */
  asked: string[] = [];
  private looks = 0;
  /** Every look at their clock takes a millisecond, and there is one for each step. */
  private readonly slices = new TimeSlices({
    monotonic: () => {
      this.looks += 1;
      return this.looks;
    },
  });
  private readonly keyOf = new Map<string, KeyObject>();
  readonly keys = new KeyRing({
    key: async (id: string) => this.keyOf.get(id),
    keys: async (ids: readonly string[]) =>
      new Map(ids.flatMap((id) => (this.keyOf.has(id) ? [[id, this.keyOf.get(id)!]] : []))),
  } as Partial<Vault> as Vault);
  readonly presenter = new Presenter({
    keys: this.keys,
    slices: this.slices,
    publicUrl: 'https://chat.example',
    views: {
      guilds: {
        guild: async (id: string) => (id === guild.id ? guild : undefined),
        channel: async (id: string) => [textChannel, directChannel].find((one) => one.id === id),
        member: async (_: string, userId: string) => (userId === member.userId ? member : undefined),
        users: async (ids: readonly string[]) => {
          this.asked.push(...ids);
          return this.users.filter(({ id }) => ids.includes(id));
        },
      } as Partial<GuildReader> as GuildReader,
      audit: { known: async () => new Map() } as Partial<AuditReader> as AuditReader,
      pins: { pinnedAmong: async () => new Set<string>() } as Partial<PinReader> as PinReader,
    } as Partial<Readers> as Readers,
    timelines: {
      message: async (_: string, id: string) => this.rows.find((row) => row.id === id),
      messages: async (_: string, ids: readonly string[]) => this.rows.filter(({ id }) => ids.includes(id)),
    } as Partial<TimelineReader> as TimelineReader,
  });

  user(id: string, username: string, kind: UserRow['kind'] = 'person'): this {
    const key = createSecretKey(randomBytes(32));
    this.keyOf.set(id, key);
    const eventId = `registered-${id}`;
    const profile = JSON.stringify({ username, globalName: null });
    const sealed = sealText(key, { stream: userStream(id), eventId, by: id }, profile);
    this.users.push({
      id,
      kind,
      ownerId: null,
      sealed,
      sealedIn: eventId,
      signedOut: NEVER_SIGNED_OUT,
      standing: GOOD_STANDING,
    });
    return this;
  }

  /** Destroys the person's key, so that all their text becomes unreadable. */
  erase(id: string): void {
    this.keyOf.delete(id);
    this.keys.forget(id);
    this.presenter.forget(id);
  }

  sealedAt(place: { readonly stream: string; readonly eventId: string; readonly by: string }, text: string) {
    return sealText(this.keyOf.get(place.by)!, place, text);
  }

  sealed(by: string, content: string, eventId: string, channelId = CHANNEL) {
    const text = JSON.stringify({ content, embeds: [] });
    return this.sealedAt({ stream: channelStream(channelId), eventId, by }, text);
  }

  message(id: string, author: string, content: string, more: Partial<MessageRow> = {}): MessageRow {
    const sealedIn = `said-${id}`;
    const row: MessageRow = {
      ...{ channelId: CHANNEL, id, ordinal: Number(id), sequence: Number(id) + 1, position: Number(id), author },
      ...{
        time: NOW,
        editedTime: null,
        type: formerMessageType(more.replyTo ?? null),
        replyTo: null,
        mentions: { users: [], everyone: false },
        flags: 0,
        nonce: null,
      },
      ...{ sealed: this.sealed(author, content, sealedIn), sealedIn, deleted: false, reactions: [] },
      ...more,
    };
    this.rows.push(row);
    return row;
  }

  /** The event that a row comes from. */
  posted(row: MessageRow): EventOf<'message-posted'> {
    const { id: messageId, ordinal, author, type: messageType, replyTo, mentions, flags, nonce, sealed } = row;
    return {
      ...{
        id: row.sealedIn,
        type: 'message-posted',
        schema: versionOf('message-posted'),
        stream: channelStream(row.channelId),
      },
      ...{ sequence: row.sequence, position: row.position, time: row.time, actor: author, key: null },
      ...{ correlationId: 'c', causationId: null, traceparent: null },
      data: { messageId, ordinal, author, messageType, replyTo, mentions, flags, nonce, sealed },
    } as unknown as EventOf<'message-posted'>;
  }

  edited(row: MessageRow, content: string, sequence = 99): EventOf<'message-edited'> {
    const id = `edited-${row.id}-${sequence}`;
    const { id: messageId, ordinal, author, mentions } = row;
    const sealed = this.sealed(author, content, id);
    return {
      ...this.posted(row),
      ...{ id, type: 'message-edited', sequence, time: NOW + 1000 },
      data: { messageId, ordinal, author, mentions, sealed },
    } as unknown as EventOf<'message-edited'>;
  }
}
