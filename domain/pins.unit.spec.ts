import { describe, expect, it } from 'vitest';
import { edit, MAX_PINS, pin, post, remove, unpin } from './channel.ts';
import { Permission } from './permissions.ts';
import {
  ANN,
  aChannel,
  aDirectChannel,
  anEdit,
  aPost,
  BEN,
  events,
  GUILD,
  member,
  NOW,
  OWNER,
  only,
  refusal,
  types,
} from './testing.ts';

/** @param allowed permissions of @everyone in the channel */
const withMessage = (allowed: bigint = 0n) => {
  const overwrites = [{ id: GUILD, type: 0 as const, allow: String(allowed), deny: '0' }];
  const channel = aChannel({ overwrites }).given((state) => post(aPost('posted'), state), 'posted');
  const id = channel.headId;
  const asks = (userId: string, key: string, messageId = id) => ({
    ...member(userId),
    ...{ key, message: channel.message(messageId), now: NOW, low: 7n },
  });
  return { channel, id, asks };
};

describe('pinning', () => {
  it('is an event, followed by a message in the channel', () => {
    const { channel, id, asks } = withMessage();
    const [pinned, told, ...more] = events(pin(asks(OWNER, 'pin'), channel.state));
    expect(more).toEqual([]);
    expect(pinned).toMatchObject({ type: 'message-pinned', data: { messageId: id, author: ANN, userId: OWNER } });
    expect(told).toMatchObject({
      type: 'message-posted',
      data: { author: OWNER, messageType: 6, replyTo: id, ordinal: 2 },
      secret: { by: OWNER },
    });
  });

  it('requires the permission, which not everyone has', () => {
    const { channel, asks } = withMessage();
    expect(refusal(pin(asks(BEN, 'pin'), channel.state))).toBe('missingPermissions');
    expect(refusal(unpin(asks(BEN, 'unpin'), channel.state))).toBe('missingPermissions');
    const allowing = withMessage(Permission.pinMessages);
    expect(types(pin(allowing.asks(BEN, 'pin'), allowing.channel.state))).toEqual(['message-pinned', 'message-posted']);
  });

  it('is allowed to both people of a direct channel', () => {
    const channel = aDirectChannel(ANN, BEN);
    channel.given((state) => post({ ...aPost('posted'), guild: undefined }, state), 'posted');
    const asks = { userId: BEN, guild: undefined, member: undefined, key: 'pin', now: NOW, low: 1n };
    expect(types(pin({ ...asks, message: channel.message(channel.headId) }, channel.state))).toContain(
      'message-pinned',
    );
  });

  it('is refused where one of the two blocks the other, because it posts a message', () => {
    const channel = aDirectChannel(ANN, BEN);
    channel.given((state) => post({ ...aPost('posted'), guild: undefined }, state), 'posted');
    const asks = { userId: BEN, guild: undefined, member: undefined, key: 'pin', now: NOW, low: 1n };
    const message = channel.message(channel.headId);
    expect(refusal(pin({ ...asks, message, blocked: true }, channel.state))).toBe('cannotMessageUser');
  });

  it('happens once, whoever asks again', () => {
    const { channel, asks } = withMessage();
    channel.given((state) => pin(asks(OWNER, 'pin'), state), 'pin');
    expect(events(pin(asks(OWNER, 'pin'), channel.state))).toEqual([]);
    expect(events(pin(asks(OWNER, 'another key'), channel.state))).toEqual([]);
  });

  it('refuses a deleted message, one the server posted, and a user who cannot see the channel', () => {
    const { channel, id, asks } = withMessage();
    expect(refusal(pin({ ...asks(OWNER, 'pin'), message: undefined }, channel.state))).toBe('unknownMessage');
    const deleted = { ...channel.message(id)!, deleted: true };
    expect(refusal(pin({ ...asks(OWNER, 'pin'), message: deleted }, channel.state))).toBe('unknownMessage');
    expect(refusal(pin({ ...asks(BEN, 'pin'), member: undefined }, channel.state))).toBe('unknownChannel');
    channel.given((state) => pin(asks(OWNER, 'pin'), state), 'pin');
    expect(refusal(pin(asks(OWNER, 'pin it too', channel.headId), channel.state))).toBe('systemMessage');
  });

  it(`stops at ${MAX_PINS}, each later than the one before even if the clock stands still`, () => {
    const { channel } = withMessage();
    const pins = () => channel.happened.filter((event) => event.type === 'message-pinned');
    for (let n = 0; n <= MAX_PINS; n += 1) {
      channel.given((state) => post(aPost(`say ${n}`), state), `say ${n}`);
      const message = channel.message(channel.headId);
      const decision = pin({ ...member(OWNER), key: `pin ${n}`, message, now: NOW, low: 1n }, channel.state);
      if (n === MAX_PINS) expect(refusal(decision)).toBe('tooManyPins');
      else channel.given(() => decision, `pin ${n}`);
    }
    const times = pins().map(({ data }) => data.pinnedTime);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  });
});

describe('a pinned message', () => {
  const pinnedOne = () => {
    const world = withMessage();
    world.channel.given((state) => pin(world.asks(OWNER, 'pin'), state), 'pin');
    return world;
  };

  it('can be unpinned, which records the time of the latest remaining pin', () => {
    const { channel, id, asks } = pinnedOne();
    const [pinned] = channel.happened.filter((event) => event.type === 'message-pinned');
    channel.given((state) => post(aPost('second'), state), 'second');
    const second = channel.headId;
    channel.given((state) => pin(asks(OWNER, 'pin second', second), state), 'pin second');
    const down = only(unpin(asks(OWNER, 'unpin', second), channel.state));
    expect(down.data).toMatchObject({ deleted: false });
    expect(down).toMatchObject({ data: { messageId: second, lastPinnedTime: pinned!.data.pinnedTime } });
    channel.given((state) => unpin(asks(OWNER, 'unpin', second), state), 'unpin');
    expect(only(unpin(asks(OWNER, 'unpin first', id), channel.state))).toMatchObject({
      data: { lastPinnedTime: null },
    });
    expect(events(unpin(asks(OWNER, 'again', second), channel.state))).toEqual([]);
  });

  it('is unpinned when deleted', () => {
    const { channel, asks } = pinnedOne();
    expect(types(remove(asks(ANN, 'delete'), channel.state))).toEqual(['message-unpinned', 'message-deleted']);
    expect(events(remove(asks(ANN, 'delete'), channel.state))[0]!.data).toMatchObject({ deleted: true });
  });

  it('stays pinned when edited', () => {
    const { channel, asks } = pinnedOne();
    const { message } = asks(ANN, 'edit');
    const change = anEdit('edit', message, { patch: { content: 'new' } });
    expect(only(edit(change, channel.state))).toMatchObject({ data: { pinned: true } });
  });

  it('survives in a stored state, and a state from before pins has none', () => {
    const { channel, asks } = pinnedOne();
    const { fromJson, toJson } = channel.fold;
    const json = JSON.parse(JSON.stringify(toJson(channel.state)));
    expect(events(pin(asks(OWNER, 'once more'), fromJson(json)))).toEqual([]);
    const { pins: _, ...former } = json;
    expect(types(pin(asks(OWNER, 'once more'), fromJson(former)))).toContain('message-pinned');
  });
});
