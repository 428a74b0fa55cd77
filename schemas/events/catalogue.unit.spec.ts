import { readFileSync } from 'node:fs';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import type { Recorded } from '../envelope.ts';
import { guildAudience, userAudience } from '../streams.ts';
import {
  audiencesOf,
  type ByType,
  catalogue,
  changesAccess,
  changesRights,
  decodeEvent,
  EVENT_TYPES,
  type EventData,
  type EventType,
  FOLLOWED_UP,
  INDEXED,
  indexedFor,
  intentsOf,
  isCarried,
  isEventType,
  type ParleyEvent,
  type TypesChanging,
  typesChanging,
  UnreadableEvent,
  versionOf,
} from './catalogue.ts';
import { PLAIN } from './channel.ts';
import { defineEvent, formerly, NO_INTENTS, nobody, reasoned, unaudited } from './definition.ts';

/** Every form in which any version of Parley has stored an event, as stored. */
const FORMER_VERSIONS = ['test/fixtures/v1/events.ndjson', 'test/fixtures/between/events.ndjson'];

const storedIn = (file: string): readonly Recorded[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { data, ...event } = JSON.parse(line) as Recorded<string, string>;
      return { ...event, data: JSON.parse(data) as unknown };
    });

const event = <K extends EventType>(type: K, stream: string, data: EventData<K>): ParleyEvent =>
  ({
    ...{ id: 'e', type, schema: versionOf(type), stream, sequence: 1, position: 7, time: 1, actor: '1', key: null },
    ...{ correlationId: 'c', causationId: null, traceparent: null, data },
  }) as unknown as ParleyEvent;

const posted = (replyTo: string | null) => {
  const mentions = { users: [], everyone: false };
  const data = { messageId: '9', ordinal: 1, author: '1', replyTo, mentions, flags: 0, nonce: null };
  return event('message-posted', 'channel-5', { ...data, messageType: 6, sealed: { by: '1', box: '' } });
};
const created = (guildId: string | null, participants: string[]) =>
  event('channel-created', 'channel-5', {
    ...{ channelId: '5', kind: guildId === null ? 'dm' : 'text', guildId, name: null, topic: null, ...PLAIN },
    ...{ overwrites: [], participants },
  });
const joined = event('member-joined', 'member-20_2', { guildId: '20', userId: '2', invite: null, announcedIn: null });
const REACTION = { messageId: '9', ordinal: 1, author: '1', userId: '2' };
const founded = event('guild-created', 'guild-20', {
  ...{ guildId: '20', name: 'g', ownerId: '1', everyone: '0', firstChannel: { id: '5', name: 'general' } },
  systemChannelId: '5',
});

describe.each(FORMER_VERSIONS)('%s', (file) => {
  const stored = storedIn(file);

  it('holds events that decode into their newest form', () => {
    for (const one of stored) {
      const read = decodeEvent(one);
      expect(read.schema).toBe(versionOf(read.type));
      expect(catalogue[read.type].codec.is(read.data)).toBe(true);
      const { schema: _, data: __, ...envelope } = one;
      // What its people could do has several permissions now.
      const { everyone: ___, ...data } = one.data as Record<string, unknown>;
      expect(read).toMatchObject({ ...envelope, data });
    }
  });

  it('decodes to the same when stored again and read again', () => {
    for (const one of stored) {
      const read = decodeEvent(one);
      expect(decodeEvent(JSON.parse(JSON.stringify(read)) as Recorded)).toEqual(read);
    }
  });
});

it('has an event of every former form', () => {
  const stored = new Set(FORMER_VERSIONS.flatMap(storedIn).map(({ type, schema }) => `${type} ${schema}`));
  const former = Object.entries(catalogue).flatMap(([type, { former: forms }]) =>
    forms.map((_, n) => `${type} ${n + 1}`),
  );
  expect(former.filter((form) => !stored.has(form))).toEqual([]);
});

describe('a guild of version 1', () => {
  const founding = (everyone: string) => {
    const { schema: _, ...now } = event('guild-created', 'guild-20', {
      ...{ guildId: '20', name: 'g', ownerId: '1', everyone, firstChannel: { id: '5', name: 'general' } },
      systemChannelId: null,
    });
    return decodeEvent({ ...now, schema: 1 }).data;
  };

  it('lets those create threads and write in them who could write', () => {
    const threads = (1n << 35n) | (1n << 36n) | (1n << 38n);
    expect(founding('3072')).toMatchObject({ everyone: String(3072n | threads) });
    expect(founding('1024')).toMatchObject({ everyone: '1024' });
  });
});

describe('a message of version 1', () => {
  const former = storedIn(FORMER_VERSIONS[0]!).filter(({ type }) => type === 'message-posted');

  it('is a reply if it replies to something, and an ordinary message otherwise', () => {
    const read = former.map(decodeEvent).flatMap(({ type, data }) => (type === 'message-posted' ? [data] : []));
    expect(read.map(({ replyTo, messageType }) => [typeof replyTo, messageType]).toSorted()).toEqual([
      ['object', 0],
      ['string', 19],
    ]);
  });

  it('has one spelling of each emoji', () => {
    const spelled = (emoji: string) => {
      const { schema: _, ...now } = event('reaction-added', 'channel-5', { ...REACTION, emoji });
      return decodeEvent({ ...now, schema: 1 }).data;
    };
    expect(spelled('❤️'.replace('\uFE0F', ''))).toEqual({ ...REACTION, emoji: '❤️' });
    expect(spelled('❤️')).toEqual({ ...REACTION, emoji: '❤️' });
    expect(spelled('party')).toEqual({ ...REACTION, emoji: 'party' });
  });

  it('is not changed by decoding it', () => {
    for (const one of former) {
      const before = JSON.stringify(one);
      decodeEvent(one);
      expect(JSON.stringify(one)).toBe(before);
    }
  });

  it('does not fit when it lacks a field of that version', () => {
    const { sealed: _, ...rest } = former[0]!.data as Record<string, unknown>;
    expect(() => decodeEvent({ ...former[0]!, data: rest })).toThrow(UnreadableEvent);
  });
});

describe('reading an event', () => {
  it('returns the newest form unchanged', () => {
    for (const one of [posted(null), joined, founded]) expect(decodeEvent(one)).toBe(one);
  });

  it('refuses an unknown type, even the name of an object property', () => {
    for (const type of ['guild-painted', 'constructor', '__proto__', 'toString', ''])
      expect(() => decodeEvent({ ...joined, type } as Recorded)).toThrow(
        `The event at position 7 (${type}, schema 2) cannot be read by this version of Parley.`,
      );
  });

  it('refuses newer versions and invalid ones', () => {
    for (const schema of [3, 0, -1, 0.5, Number.NaN])
      expect(() => decodeEvent({ ...joined, schema })).toThrow(UnreadableEvent);
    expect(() => decodeEvent({ ...posted(null), schema: 4 })).toThrow(UnreadableEvent);
  });

  it('refuses data that does not fit', () => {
    for (const data of [null, undefined, {}, [], 'x', { guildId: 20, userId: '2', invite: null }])
      expect(() => decodeEvent({ ...joined, data } as Recorded)).toThrow(UnreadableEvent);
  });
});

describe('the audiences and the index entries of an event', () => {
  it('are the same for a new channel, in a guild or direct', () => {
    for (const ask of [audiencesOf, indexedFor]) {
      expect(ask(created('20', []))).toEqual([guildAudience('20')]);
      expect(ask(created(null, ['1', '2']))).toEqual([userAudience('1'), userAudience('2')]);
    }
  });

  it('differ for a join: the guild is told, the index also files it for the person', () => {
    expect(audiencesOf(joined)).toEqual([guildAudience('20')]);
    expect(indexedFor(joined)).toEqual([guildAudience('20'), userAudience('2')]);
  });

  it('differ for messages, since the stream of a channel is its own index', () => {
    expect(audiencesOf(posted(null))).toEqual(['channel:5']);
    expect(indexedFor(posted(null))).toEqual([]);
  });

  it('differ for a new guild, of which nobody is told directly', () => {
    expect(audiencesOf(founded)).toEqual([]);
    expect(indexedFor(founded)).toEqual([guildAudience('20')]);
  });
});

describe('the catalogue', () => {
  it('recognizes its own type names', () => {
    for (const type of EVENT_TYPES) expect(isEventType(type)).toBe(true);
    for (const word of ['guild-painted', 'constructor', '__proto__']) expect(isEventType(word)).toBe(false);
  });

  it('gives every type with an audience a way through the feed', () => {
    for (const type of EVENT_TYPES) {
      const { audiences, feed, intents } = catalogue[type];
      if (audiences === nobody) expect([feed, intents], type).toEqual(['structure', NO_INTENTS]);
    }
    expect(isCarried(posted(null), 'channel')).toBe(true);
    expect(isCarried(joined, 'structure')).toBe(true);
  });

  it('asks for intents by where the event happens', () => {
    expect(intentsOf('message-posted', '20')).not.toBe(intentsOf('message-posted', null));
    expect(intentsOf('channels-read', null)).toBe(0);
  });

  it('ends a batch wherever the views of rights change', () => {
    expect([joined, founded, created(null, [])].map(changesRights)).toEqual([true, true, true]);
    expect(changesRights(posted(null))).toBe(false);
    expect([joined, founded, created(null, []), posted(null)].some(changesAccess)).toBe(false);
  });

  it('knows by which events members of a guild gain and lose channels', () => {
    const types = EVENT_TYPES.filter((type) => catalogue[type].changesRights === 'channels');
    const named = [
      'overwrite-set',
      'overwrite-deleted',
      'guild-transferred',
      'role-edited',
      'role-deleted',
      'member-roles-changed',
    ];
    expect(types).toEqual(named);
  });

  it('requires a handler for every type that changes a view, checked by the compiler', () => {
    const posted = () => 'posted';
    // @ts-expect-error
    const incomplete: ByType<TypesChanging<'unread'>, [], string> = { 'message-posted': posted };
    // @ts-expect-error
    const foreign: ByType<'message-posted', [], string> = { 'message-posted': posted, 'guild-created': posted };
    expect([incomplete, foreign].flatMap((table) => Object.keys(table))).toHaveLength(3);
  });

  it('derives its lists of types', () => {
    expect(FOLLOWED_UP.toSorted()).toEqual([
      ...[
        'channel-deleted',
        'channel-requested',
        'channels-moved',
        'dm-opened',
        'guild-created',
        'invite-redeemed',
        'member-banned',
        'member-joined',
        'member-left',
        'role-created',
        'thread-created',
        'transfer-requested',
        'user-deleted',
      ],
    ]);
    expect(typesChanging('timelines').toSorted()).toEqual([
      ...['embeds-suppressed', 'message-deleted', 'message-edited', 'message-posted', 'message-threaded'],
      ...['messages-deleted', 'reaction-added', 'reaction-removed', 'reactions-cleared'],
    ]);
    expect(INDEXED).not.toContain('message-posted');
    expect(INDEXED).toContain('dm-opened');
  });
});

describe('a definition', () => {
  const whole = {
    codec: t.type({ id: t.string, more: t.number }),
    former: [],
    audiences: nobody,
    indexedFor: nobody,
    feed: 'structure',
    intents: NO_INTENTS,
    changesRights: false,
    standsAlone: false,
    inGuildCreate: false,
    changes: ['timelines'],
    followedUp: false,
    frequent: false,
    auditedIn: unaudited,
    takesReason: false,
    seals: null,
  } as const;

  it('has every field: a missing one is a compile error', () => {
    const { codec: _1, ...noCodec } = whole;
    const { former: _2, ...noFormer } = whole;
    const { audiences: _3, ...noAudiences } = whole;
    const { indexedFor: _4, ...noIndex } = whole;
    const { feed: _5, ...noFeed } = whole;
    const { intents: _6, ...noIntents } = whole;
    const { changesRights: _7, ...noRights } = whole;
    const { standsAlone: _13, ...noStanding } = whole;
    const { inGuildCreate: _8, ...noGuild } = whole;
    const { changes: _9, ...noChanges } = whole;
    const { followedUp: _10, ...noProcess } = whole;
    const { frequent: _11, ...noFrequency } = whole;
    const { seals: _12, ...noSeal } = whole;
    const { takesReason: _14, ...noReason } = whole;
    const { auditedIn: _15, ...noAudit } = whole;
    // @ts-expect-error
    defineEvent(noCodec);
    // @ts-expect-error
    defineEvent(noFormer);
    // @ts-expect-error
    defineEvent(noAudiences);
    // @ts-expect-error
    defineEvent(noIndex);
    // @ts-expect-error
    defineEvent(noFeed);
    // @ts-expect-error
    defineEvent(noIntents);
    // @ts-expect-error
    defineEvent(noRights);
    // @ts-expect-error
    defineEvent(noStanding);
    // @ts-expect-error
    defineEvent(noGuild);
    // @ts-expect-error
    defineEvent(noChanges);
    // @ts-expect-error
    defineEvent(noProcess);
    // @ts-expect-error
    defineEvent(noFrequency);
    // @ts-expect-error
    defineEvent(noSeal);
    // @ts-expect-error
    defineEvent(noReason);
    // @ts-expect-error
    defineEvent(noAudit);
    expect(defineEvent(whole)).toBe(whole);
  });

  it('names a codec for its secret exactly when its data has a sealed part', () => {
    // @ts-expect-error
    defineEvent({ ...whole, seals: t.string });
    // @ts-expect-error
    defineEvent({ ...whole, codec: catalogue['message-edited'].codec, seals: null });
  });

  it('says that it takes a reason exactly when its data has room for one', () => {
    // @ts-expect-error
    defineEvent({ ...whole, takesReason: true });
    // @ts-expect-error
    defineEvent({ ...whole, codec: reasoned(whole.codec) });
    expect(defineEvent({ ...whole, codec: reasoned(whole.codec), takesReason: true }).takesReason).toBe(true);
  });

  it('must bring older data into the complete newest form', () => {
    const Former = t.type({ id: t.string });
    const { former } = defineEvent({ ...whole, former: [formerly(Former, ({ id }) => ({ id, more: 0 }))] });
    expect(former[0]!({ id: 'x' })).toEqual({ id: 'x', more: 0 });
    expect(former[0]!({})).toBeUndefined();
    // @ts-expect-error
    defineEvent({ ...whole, former: [formerly(Former, ({ id }) => ({ id }))] });
  });
});
