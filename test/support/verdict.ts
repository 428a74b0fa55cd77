/** What must be true after a load, whatever happened during it. */

import { expect, vi } from 'vitest';
import { type Account, wholeHistory } from './api.ts';
import type { Load } from './load.ts';
import { type ReplayedEvent, replayStream } from './replay.ts';

const PATIENCE = { interval: 200, timeout: 60_000 } as const;

const channelOf = ({ stream }: ReplayedEvent): string => stream.replace('channel-', '');

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

interface Counts {
  readonly read_ordinal: number;
  readonly unread_count: number;
  readonly mention_count: number;
}

/** A load that has settled, held against the log. */
export class Verdict {
  readonly #load: Load;
  readonly #events: ReadonlyMap<string, readonly ReplayedEvent[]>;
  /** Messages of all channels, in position order. */
  readonly #posted: readonly ReplayedEvent[];
  /** By message id. */
  readonly #acknowledged: ReadonlyMap<string, { readonly content: string; readonly account: Account }>;

  private constructor(load: Load, events: ReadonlyMap<string, readonly ReplayedEvent[]>) {
    this.#load = load;
    this.#events = events;
    const posted = [...events.values()].flat().filter(({ type }) => type === 'message-posted');
    this.#posted = posted.sort((a, b) => a.position - b.position);
    this.#acknowledged = new Map(
      load.senders.flatMap(({ account, acknowledged }) =>
        [...acknowledged.values()].map(({ messageId, content }) => [messageId, { content, account }] as const),
      ),
    );
  }

  /** Settles the load. Resolves when timelines and unread counts have reached the head of the log. */
  static async on(load: Load): Promise<Verdict> {
    await load.settle();
    const events = new Map<string, ReplayedEvent[]>();
    // Repeated while paused views are behind: replay shows nothing that they do not know yet.
    for (const { id } of load.channels)
      events.set(id, await vi.waitFor(() => replayStream(load.administrator, `channel-${id}`), PATIENCE));
    const verdict = new Verdict(load, events);
    await verdict.#untilCaughtUp();
    return verdict;
  }

  /** Everything below. */
  async expectAll(): Promise<void> {
    this.expectPromisesKept();
    this.expectHeardOnce();
    await this.expectHistory();
    await this.expectUnreadRecounted();
  }

  /** Every acknowledged message exists once, at its acknowledged position. Nothing is refused, and numbers are dense. */
  expectPromisesKept(): void {
    const { senders } = this.#load;
    expect(senders.flatMap(({ refused }) => refused)).toEqual([]);
    const logged = this.#posted.map(({ data, stream, sequence }) => `${data.messageId} at ${stream} ${sequence}`);
    const promised = senders.flatMap(({ acknowledged, channelId }) =>
      [...acknowledged.values()].map(({ messageId, sequence }) => `${messageId} at channel-${channelId} ${sequence}`),
    );
    expect(differences(logged.sort(), promised.sort())).toEqual(NONE);
    for (const ofChannel of this.#events.values()) {
      expect(ofChannel.map(({ sequence }) => sequence)).toEqual(ofChannel.map((_, index) => index + 1));
      const ordinals = ofChannel.filter(({ type }) => type === 'message-posted').map(({ data }) => data.ordinal);
      expect(ordinals).toEqual(ordinals.map((_, index) => index + 1));
    }
  }

  /** Every subscriber heard each message of all channels once, in log order, in one session. */
  expectHeardOnce(): void {
    const expected = this.#posted.map(({ data, sequence }) => `${data.messageId} ${sequence} ${data.ordinal}`);
    for (const { messages, positions, invalidSessions } of this.#load.subscribers) {
      const heard = messages.map(({ id, sequence, ordinal }) => `${id} ${sequence} ${ordinal}`);
      expect(differences(heard, expected)).toEqual(NONE);
      expect(positions.every((position, index) => index === 0 || position >= positions[index - 1]!)).toBe(true);
      expect(invalidSessions).toBe(0);
    }
  }

  /** The timelines show every message, in log order. */
  async expectHistory(): Promise<void> {
    for (const { id: channelId } of this.#load.channels) {
      const history = await wholeHistory(this.#load.owner, channelId);
      const expected = this.#postedIn(channelId).map(({ messageId }) => messageId!);
      expect(
        differences(
          history.map(({ id, content }) => `${id} ${content}`),
          expected.map((id) => `${id} ${this.#acknowledged.get(id)?.content}`),
        ),
      ).toEqual(NONE);
    }
  }

  /**
   * Each person's unread count, recounted from the log: messages after their own last one or after their marker. A node whose
   * views are late knows the last message from what was delivered, and mentions a moment later.
   */
  async expectUnreadRecounted(): Promise<void> {
    const { subscribers, senders, channels } = this.#load;
    for (const { account } of [...subscribers, ...senders])
      await vi.waitFor(async () => {
        const states = await this.#unreadOf(account);
        for (const { id } of channels) expect(states.get(id), account.username).toEqual(this.#recounted(account, id));
      }, PATIENCE);
  }

  async #unreadOf(account: Account): Promise<ReadonlyMap<string, Counts>> {
    const states = await this.#load.owner
      .as(account)
      .ask<(Counts & { channel_id: string })[]>('GET', '/users/@me/read-states');
    return new Map(
      states.map(({ channel_id, read_ordinal, unread_count, mention_count }) => [
        channel_id,
        { read_ordinal, unread_count, mention_count },
      ]),
    );
  }

  #recounted(account: Account, channelId: string): Counts {
    const messages = this.#postedIn(channelId);
    const own = messages.findLast(({ messageId }) => this.#acknowledged.get(messageId!)?.account === account)?.ordinal;
    const read_ordinal = own ?? this.#load.markers.get(account.id)?.get(channelId) ?? 0;
    const beyond = messages.filter(({ ordinal }) => ordinal! > read_ordinal);
    const mentioning = beyond.filter(({ messageId }) =>
      this.#acknowledged.get(messageId!)!.content.includes(`<@${account.id}>`),
    );
    return { read_ordinal, unread_count: beyond.length, mention_count: mentioning.length };
  }

  #postedIn(channelId: string) {
    return this.#posted.filter((event) => channelOf(event) === channelId).map(({ data }) => data);
  }

  #untilCaughtUp(): Promise<void> {
    const { owner, channels } = this.#load;
    return vi.waitFor(async () => {
      const states = await owner.ask<{ channel_id: string; last_message_id: string }[]>(
        'GET',
        '/users/@me/read-states',
      );
      for (const { id: channelId } of channels) {
        const last = this.#postedIn(channelId).at(-1)?.messageId;
        expect((await owner.history(channelId, '?limit=1')).map(({ id }) => id)).toEqual([last]);
        expect(states.find(({ channel_id }) => channel_id === channelId)?.last_message_id).toBe(last);
      }
    }, PATIENCE);
  }
}
