/** What must be true after a load, whatever happened during it. */

import { expect, vi } from 'vitest';
import { type Account, wholeHistory } from './api.ts';
import type { Load } from './load.ts';
import { type ReplayedEvent, replayStream } from './replay.ts';

/** What the log holds of a load. */
export interface Logged {
  readonly events: ReadonlyMap<string, readonly ReplayedEvent[]>;
  /** Messages of all channels, in position order. */
  readonly posted: readonly ReplayedEvent[];
}

const PATIENCE = { interval: 200, timeout: 60_000 } as const;

/** Repeats the request while paused views are behind: replay shows nothing that they do not know yet. */
export const loggedOf = async (load: Load): Promise<Logged> => {
  const events = new Map<string, ReplayedEvent[]>();
  for (const { id } of load.channels)
    events.set(id, await vi.waitFor(() => replayStream(load.administrator, `channel-${id}`), PATIENCE));
  const posted = [...events.values()].flat().filter(({ type }) => type === 'message-posted');
  return { events, posted: posted.sort((a, b) => a.position - b.position) };
};

const channelOf = ({ stream }: ReplayedEvent): string => stream.replace('channel-', '');

/** By message id. */
const acknowledgedOf = (load: Load) =>
  new Map(
    load.senders.flatMap(({ account, acknowledged }) =>
      [...acknowledged.values()].map((one) => [one.messageId, { ...one, account }] as const),
    ),
  );

/** A short difference of two long lists. Comparing element by element is slow and prints too much. */
const differences = (actual: readonly string[], expected: readonly string[]) => {
  const [there, wanted] = [new Set(actual), new Set(expected)];
  const out = actual.findIndex((id, index) => id !== expected[index]);
  return {
    missing: expected.filter((id) => !there.has(id)).slice(0, 5),
    doubled: actual.length - there.size,
    strange: actual.filter((id) => !wanted.has(id)).slice(0, 5),
    firstDifference: out === -1 ? undefined : out,
  };
};

const NONE = { missing: [], doubled: 0, strange: [], firstDifference: undefined };

/** Every acknowledged message exists once, at its acknowledged position. Nothing is refused, and numbers are dense. */
export const expectPromisesKept = (load: Load, { events, posted }: Logged): void => {
  expect(load.senders.flatMap(({ refused }) => refused)).toEqual([]);
  const logged = posted.map(({ data, stream, sequence }) => `${data.messageId} at ${stream} ${sequence}`);
  const promised = load.senders.flatMap(({ acknowledged, channelId }) =>
    [...acknowledged.values()].map(({ messageId, sequence }) => `${messageId} at channel-${channelId} ${sequence}`),
  );
  expect(differences(logged.sort(), promised.sort())).toEqual(NONE);
  for (const ofChannel of events.values()) {
    expect(ofChannel.map(({ sequence }) => sequence)).toEqual(ofChannel.map((_, index) => index + 1));
    const ordinals = ofChannel.filter(({ type }) => type === 'message-posted').map(({ data }) => data.ordinal);
    expect(ordinals).toEqual(ordinals.map((_, index) => index + 1));
  }
};

/** The timelines show every message, in log order. */
export const expectHistory = async (load: Load, { posted }: Logged): Promise<void> => {
  const said = acknowledgedOf(load);
  for (const { id: channelId } of load.channels) {
    const history = await wholeHistory(load.owner, channelId);
    const expected = posted.filter((event) => channelOf(event) === channelId).map(({ data }) => data.messageId!);
    expect(
      differences(
        history.map(({ id, content }) => `${id} ${content}`),
        expected.map((id) => `${id} ${said.get(id)?.content}`),
      ),
    ).toEqual(NONE);
  }
};

/** Every subscriber heard each message of all channels once, in log order, in one session. */
export const expectHeardOnce = (load: Load, { posted }: Logged): void => {
  const expected = posted.map(({ data, sequence }) => `${data.messageId} ${sequence} ${data.ordinal}`);
  for (const { messages, positions, invalidSessions } of load.subscribers) {
    const heard = messages.map(({ id, sequence, ordinal }) => `${id} ${sequence} ${ordinal}`);
    expect(differences(heard, expected)).toEqual(NONE);
    expect(positions.every((position, index) => index === 0 || position >= positions[index - 1]!)).toBe(true);
    expect(invalidSessions).toBe(0);
  }
};

interface Counts {
  readonly read_ordinal: number;
  readonly unread_count: number;
  readonly mention_count: number;
}

/** Each person's unread count, recounted from the log: messages after their own last one or after their marker. */
export const expectUnreadRecounted = async (load: Load, { posted }: Logged): Promise<void> => {
  const said = acknowledgedOf(load);
  const recounted = (account: Account, channelId: string): Counts => {
    const messages = posted.filter((event) => channelOf(event) === channelId).map(({ data }) => data);
    const own = messages.findLast(({ messageId }) => said.get(messageId!)?.account === account)?.ordinal;
    const read_ordinal = own ?? load.markers.get(account.id)?.get(channelId) ?? 0;
    const beyond = messages.filter(({ ordinal }) => ordinal! > read_ordinal);
    const mentioning = beyond.filter(({ messageId }) => said.get(messageId!)!.content.includes(`<@${account.id}>`));
    return { read_ordinal, unread_count: beyond.length, mention_count: mentioning.length };
  };
  const shown = async (account: Account) => {
    const states = await load.owner
      .as(account)
      .ask<(Counts & { channel_id: string })[]>('GET', '/users/@me/read-states');
    return new Map(
      states.map(({ channel_id, read_ordinal, unread_count, mention_count }) => [
        channel_id,
        { read_ordinal, unread_count, mention_count },
      ]),
    );
  };
  for (const { account } of [...load.subscribers, ...load.senders]) {
    const states = await shown(account);
    for (const { id } of load.channels) expect(states.get(id), account.username).toEqual(recounted(account, id));
  }
};

/** Resolves when timelines and unread counts have reached the head of the log. */
export const untilCaughtUp = (load: Load, { posted }: Logged): Promise<void> =>
  vi.waitFor(async () => {
    const states = await load.owner.ask<{ channel_id: string; last_message_id: string }[]>(
      'GET',
      '/users/@me/read-states',
    );
    for (const { id: channelId } of load.channels) {
      const last = posted.findLast((event) => channelOf(event) === channelId)?.data.messageId;
      expect((await load.owner.history(channelId, '?limit=1')).map(({ id }) => id)).toEqual([last]);
      expect(states.find(({ channel_id }) => channel_id === channelId)?.last_message_id).toBe(last);
    }
  }, PATIENCE);
