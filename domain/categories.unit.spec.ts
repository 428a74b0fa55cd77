import { describe, expect, it } from 'vitest';
import { PLAIN } from '../schemas/events/channel.ts';
import { MAX_IN_CATEGORY } from './categories.ts';
import { channelFold } from './channel.ts';
import { type AskedPlace, moveChannels, placeChannel } from './channel-places.ts';
import { createGuild, guildFold, requestChannel } from './guild.ts';
import { DEFAULT_EVERYONE } from './permissions.ts';
import { ANN, CHANNEL, errorsOf, events, GUILD, History, OWNER, only, refusal } from './testing.ts';

const CATEGORY = '500';
const first = { firstChannel: { id: CHANNEL, name: 'general' }, systemChannelId: CHANNEL };
const everyone = DEFAULT_EVERYONE.toString();
const guild = () =>
  new History(guildFold, `guild-${GUILD}`).given(
    (state) => createGuild({ guild: { guildId: GUILD, name: 'G', ownerId: OWNER, everyone, ...first } }, state),
    'created',
  );

const overwrites = [{ id: GUILD, type: 0 as const, allow: '0', deny: '1024' }];
const category = { id: CATEGORY, kind: 'category' as const, parentId: null, overwrites };
const text = (id: string, parentId: string | null = null) => ({ id, kind: 'text' as const, parentId, overwrites: [] });
const full = Array.from({ length: MAX_IN_CATEGORY }, (_, n) => text(`${600 + n}`, CATEGORY));
const asked = (parentId: string | null, kind: 'text' | 'category' = 'text') => ({
  ...{ channelId: '700', kind, guildId: GUILD, name: 'more', topic: null, ...PLAIN, parentId },
  ...{ overwrites: [], participants: [] },
});

describe('a new channel', () => {
  const request = (parentId: string | null, known: Parameters<typeof requestChannel>[0]['known'], kind?: 'category') =>
    requestChannel({ channel: asked(parentId, kind), known, key: 'k' }, guild().state);

  it('stands in a category of its guild, and nowhere else', () => {
    expect(events(request(CATEGORY, [category]))).toHaveLength(1);
    for (const known of [[], [text(CATEGORY)], [{ ...category, isDeleted: true }]])
      expect(errorsOf(request(CATEGORY, known))).toMatchObject({
        parent_id: { _errors: [{ code: 'CHANNEL_PARENT_INVALID_TYPE' }] },
      });
    expect(refusal(request(CATEGORY, [category], 'category'))).toBe('invalidForm');
  });

  it('finds room among 50 channels, those included that the views do not know yet', () => {
    expect(refusal(request(CATEGORY, [category, ...full]))).toBe('invalidForm');
    expect(events(request(CATEGORY, [category, ...full.slice(1)]))).toHaveLength(1);
    const busy = guild();
    for (const { id } of full)
      busy.given(
        (state) =>
          requestChannel({ channel: { ...asked(CATEGORY), channelId: id }, known: [category], key: id }, state),
        id,
      );
    expect(refusal(requestChannel({ channel: asked(CATEGORY), known: [category], key: 'k' }, busy.state))).toBe(
      'invalidForm',
    );
  });
});

describe('channels of a guild', () => {
  const owner = { userId: OWNER, roles: [] };
  const move = (places: readonly AskedPlace[], known = [category, text(CHANNEL), text('700')], actor = owner) =>
    moveChannels({ guildId: GUILD, actor, key: 'k', places, known }, guild().state);

  it('are moved by those who manage channels', () => {
    const places = [{ id: CHANNEL, position: 3, locked: false }];
    expect(only(move(places)).data).toEqual({
      guildId: GUILD,
      channels: [{ channelId: CHANNEL, position: 3, parentId: null, overwrites: null }],
    });
    expect(refusal(move(places, undefined, { userId: ANN, roles: [] }))).toBe('missingPermissions');
    expect(refusal(move([{ id: '9', position: 3, locked: false }]))).toBe('unknownChannel');
  });

  it('take the overwrites of the category into which they come locked', () => {
    expect(only(move([{ id: CHANNEL, parentId: CATEGORY, locked: true }])).data).toMatchObject({
      channels: [{ channelId: CHANNEL, position: null, parentId: CATEGORY, overwrites }],
    });
  });

  it('exchange places in a full category, and no further one comes in', () => {
    const known = [category, ...full, text('700')];
    const into = { id: '700', parentId: CATEGORY, locked: false };
    expect(refusal(move([into], known))).toBe('invalidForm');
    expect(events(move([{ id: full[0]!.id, parentId: null, locked: false }, into], known))).toHaveLength(1);
  });
});

describe('the step that follows', () => {
  const channel = () =>
    new History(channelFold, 'channel-700').record([{ type: 'channel-created', data: asked(CATEGORY) }], 'created', 1);
  const place = { channelId: '700', guildId: GUILD, key: 'p', position: null, overwrites: null };

  it('changes only what is not so yet', () => {
    const { state } = channel();
    expect(events(placeChannel({ ...place, parentId: CATEGORY }, state))).toEqual([]);
    expect(only(placeChannel({ ...place, parentId: null }, state)).data).toMatchObject({ details: { parentId: null } });
    expect(events(placeChannel({ ...place, parentId: null, overwrites }, state)).map(({ type }) => type)).toEqual([
      'channel-edited',
      'overwrite-set',
    ]);
  });

  it('takes a channel out of a category that is deleted, but not out of the one where it has come since', () => {
    const { state } = channel();
    expect(events(placeChannel({ ...place, parentId: null, from: CATEGORY }, state))).toHaveLength(1);
    expect(events(placeChannel({ ...place, parentId: null, from: '501' }, state))).toEqual([]);
  });
});
