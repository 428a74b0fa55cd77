import { describe, expect, it } from 'vitest';
import { PLAIN } from '../schemas/events/channel.ts';
import type { ChannelState } from './channel.ts';
import { channelFold, post, rightsIn } from './channel.ts';
import { refuse } from './decider.ts';
import { addRecipient, createGroup, editGroup, MAX_RECIPIENTS, removeRecipient, withoutRecipient } from './groups.ts';
import {
  ANN,
  aChannel,
  aPost,
  BEN,
  CHANNEL,
  events,
  History,
  NOW,
  OWNER,
  refusal,
  STRANGER,
  types,
} from './testing.ts';

const channelOf = (participants: string[]) => ({
  ...{ channelId: CHANNEL, kind: 'group' as const, guildId: null, name: null, topic: null, ...PLAIN },
  ...{ overwrites: [], participants },
});
const aGroup = (...people: string[]): History<ChannelState> =>
  new History(channelFold, `channel-${CHANNEL}`).given(
    (state) => createGroup({ channel: channelOf(people), refusal: undefined, isFull: false }, state),
    'created',
  );
const by = (userId: string, key: string) => ({
  ...{ userId, guild: undefined, member: undefined, key, channelId: CHANNEL, now: NOW, low: 1n },
});
const adding = (userId: string, targetId: string, key = 'add', more: object = {}) => ({
  ...{ ...by(userId, key), targetId, refusal: undefined, isFull: false },
  ...more,
});
const people = ({ state }: History<ChannelState>) => state.settings!.participants;

describe('a group', () => {
  it('belongs to whoever created it, and is created once and where everybody may be in one more', () => {
    const group = aGroup(OWNER, ANN, BEN);
    expect(group.state.settings).toMatchObject({ kind: 'group', ownerId: OWNER, participants: [OWNER, ANN, BEN] });
    const channel = channelOf([OWNER, ANN]);
    const refused = { channel, refusal: refuse('cannotMessageUser'), isFull: true };
    const full = { ...refused, refusal: undefined };
    for (const one of [refused, full]) expect(events(createGroup(one, group.state))).toEqual([]);
    expect(refusal(createGroup(refused, channelFold.initial()))).toBe('cannotMessageUser');
    expect(refusal(createGroup(full, channelFold.initial()))).toBe('maximumGroups');
  });

  it('takes in others, each once, up to ten, and says so', () => {
    const group = aGroup(OWNER, ANN).given((state) => addRecipient(adding(ANN, BEN), state), 'add');
    expect(people(group)).toEqual([OWNER, ANN, BEN]);
    expect(group.happened.at(-1)).toMatchObject({
      data: { messageType: 1, author: ANN, mentions: { users: [BEN], everyone: false } },
    });
    for (const key of ['add', 'again']) expect(events(addRecipient(adding(ANN, BEN, key), group.state))).toEqual([]);
    expect(refusal(addRecipient(adding(STRANGER, '9'), group.state))).toBe('unknownChannel');
    const blocked = { refusal: refuse('cannotMessageUser') };
    expect(refusal(addRecipient(adding(ANN, '9', 'b', blocked), group.state))).toBe('cannotMessageUser');
    expect(refusal(addRecipient(adding(ANN, '9', 'f', { isFull: true }), group.state))).toBe('maximumGroups');
    const full = aGroup(...Array.from({ length: MAX_RECIPIENTS }, (_, n) => String(n + 1)));
    expect(refusal(addRecipient(adding('1', '99'), full.state))).toBe('maximumRecipients');
  });

  it('is left by everybody, and others are taken out by its owner alone', () => {
    const group = aGroup(OWNER, ANN, BEN);
    expect(refusal(removeRecipient({ ...by(ANN, 'r'), targetId: BEN }, group.state))).toBe('missingPermissions');
    expect(refusal(removeRecipient({ ...by(STRANGER, 'r'), targetId: BEN }, group.state))).toBe('unknownChannel');
    const without = group.given((state) => removeRecipient({ ...by(OWNER, 'r'), targetId: BEN }, state), 'r');
    expect(people(without)).toEqual([OWNER, ANN]);
    expect(rightsIn(without.state, by(BEN, 'x'))).toBe(0n);
    expect(refusal(post(aPost('p', { userId: BEN, guild: undefined, member: undefined }), without.state))).toBe(
      'unknownChannel',
    );
    expect(events(removeRecipient({ ...by(OWNER, 'other'), targetId: BEN }, without.state))).toEqual([]);
    const alone = without.given((state) => removeRecipient({ ...by(ANN, 'l'), targetId: ANN }, state), 'l');
    expect(events(removeRecipient({ ...by(ANN, 'l'), targetId: ANN }, alone.state))).toEqual([]);
    expect(refusal(removeRecipient({ ...by(ANN, 'l2'), targetId: ANN }, alone.state))).toBe('unknownChannel');
  });

  it('goes to the one who came next when its owner leaves, and to nobody when it is empty', () => {
    const left = removeRecipient({ ...by(OWNER, 'l'), targetId: OWNER }, aGroup(OWNER, ANN, BEN).state);
    expect(types(left)).toEqual(['recipient-removed', 'group-edited', 'message-posted']);
    const group = aGroup(OWNER, ANN, BEN).record(events(left), 'l');
    expect(group.state.settings).toMatchObject({ ownerId: ANN, participants: [ANN, BEN] });
    const last = removeRecipient({ ...by(OWNER, 'l'), targetId: OWNER }, aGroup(OWNER).state);
    const forgotten = withoutRecipient({ channelId: CHANNEL, userId: OWNER }, aGroup(OWNER, ANN).state);
    expect(types(forgotten)).toEqual(['recipient-removed', 'group-edited']);
    expect(events(withoutRecipient({ channelId: CHANNEL, userId: BEN }, aGroup(OWNER, ANN).state))).toEqual([]);
    expect(types(last)).toEqual(['recipient-removed', 'message-posted']);
  });

  it('is named by everybody and handed on by its owner, to one of its people', () => {
    const group = aGroup(OWNER, ANN, BEN);
    const named = group.given((state) => editGroup({ ...by(ANN, 'n'), patch: { name: 'Us' } }, state), 'n');
    expect(named.happened.at(-1)).toMatchObject({ data: { messageType: 4, author: ANN } });
    expect(events(editGroup({ ...by(ANN, 'n2'), patch: { name: 'Us' } }, named.state))).toEqual([]);
    expect(types(editGroup({ ...by(ANN, 'n3'), patch: { name: null } }, named.state))).toHaveLength(2);
    const handing = (userId: string, ownerId: string) => ({ ...by(userId, 'h'), patch: { ownerId } });
    expect(refusal(editGroup(handing(ANN, BEN), named.state))).toBe('missingPermissions');
    expect(refusal(editGroup(handing(OWNER, STRANGER), named.state))).toBe('unknownUser');
    const handed = named.given((state) => editGroup(handing(OWNER, BEN), state), 'h');
    expect(handed.state.settings).toMatchObject({ ownerId: BEN, details: { name: 'Us' } });
    expect(events(editGroup(handing(OWNER, BEN), handed.state))).toEqual([]);
  });

  it('is what no other channel is', () => {
    const group = { ...by(OWNER, 'k'), guild: undefined };
    const { state } = aChannel();
    for (const decision of [
      addRecipient(adding(OWNER, ANN), state),
      removeRecipient({ ...group, targetId: ANN }, state),
      editGroup({ ...group, patch: { name: 'x' } }, state),
    ])
      expect(refusal(decision)).toBe('unknownChannel');
  });
});
