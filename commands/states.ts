/** Folded states of streams written recently. Others are loaded from their snapshot and the events after it. */

import type { LRUCache } from 'lru-cache';
import { foldOf } from '../domain/aggregates.ts';
import { evolveMessage, type MessageState } from '../domain/channel.ts';
import type { Fold, StreamState } from '../domain/decider.ts';
import { isFull, type LogReader } from '../log/port.ts';
import type { SnapshotReader } from '../projections/views/snapshots/view.ts';
import type { TimelineReader } from '../projections/views/timelines/view.ts';
import { sizedLru } from '../schemas/lru.ts';
import { messagesOf } from '../schemas/message-ids.ts';
import type { Since } from './turn.ts';

/** The facts of one message, from its timeline and the channel's later events. */
export interface About {
  readonly messageId: string;
  readonly userId?: string;
  readonly emoji?: string;
}

interface StoredFacts {
  readonly through: number;
  readonly facts: MessageState | undefined;
}

/** First half, before the turn: what the timeline holds. */
export const storedFacts = (timelines: TimelineReader, channelId: string, about: About): Promise<StoredFacts> =>
  about.userId !== undefined && about.emoji !== undefined
    ? timelines.facts(channelId, about.messageId, { userId: about.userId, emoji: about.emoji })
    : timelines.facts(channelId, about.messageId);

/** Second half, inside the turn: brings the facts up to the stream's end. */
export const currentFacts = async (
  stored: StoredFacts,
  about: About,
  since: Since,
): Promise<MessageState | undefined> => {
  let message: MessageState | undefined = stored.facts;
  for await (const page of since(stored.through)) {
    for (const event of page) if (event.sequence > stored.through) message = evolveMessage(message, event, about);
  }
  return message;
};

interface StoredFactsOfAll {
  readonly through: number;
  readonly messages: readonly MessageState[];
}

/** As `storedFacts`, of many messages and without their reactions. */
export const storedFactsOfAll = async (
  timelines: TimelineReader,
  channelId: string,
  messageIds: readonly string[],
): Promise<StoredFactsOfAll> => {
  // Read before the rows, which may then hold more than `through`, never less. It is the channel's, whichever message is asked for.
  const { through } = await timelines.facts(channelId, messageIds[0] ?? '0');
  const rows = await timelines.messages(channelId, messageIds, '');
  const messages = rows.map(({ id: messageId, ordinal, author, type, replyTo, mentions, flags, sealed, ...row }) => ({
    ...{ messageId, ordinal, author, type, replyTo, mentions, flags, sealed },
    ...{ sealedIn: row.sealedIn, deleted: row.deleted, reactions: new Map<string, number>(), reacted: false },
  }));
  return { through, messages };
};

/** As `currentFacts`, of many messages. @returns those that the channel has */
export const currentFactsOfAll = async (
  stored: StoredFactsOfAll,
  messageIds: readonly string[],
  since: Since,
): Promise<readonly MessageState[]> => {
  const wanted = new Set(messageIds);
  const messages = new Map(stored.messages.map((message) => [message.messageId, message]));
  for await (const page of since(stored.through)) {
    for (const event of page) {
      if (event.sequence <= stored.through) continue;
      for (const messageId of messagesOf(event)) {
        const message = wanted.has(messageId) && evolveMessage(messages.get(messageId), event, { messageId });
        if (message) messages.set(messageId, message);
      }
    }
  }
  return [...messages.values()];
};

const PAGE = 1000;
/** A state takes a few hundred bytes, or megabytes: a busy channel's keys. So kept states are bounded by both. */
const KEPT_STATES = 20_000;
export const KEPT_BYTES = 134_217_728;
/** Of a state whose fold does not say. */
const STATE_BYTES = 500;

export class StateStore {
  private readonly log: LogReader;
  private readonly snapshots: SnapshotReader;
  private readonly states: LRUCache<string, StreamState>;

  /** @param keptBytes most bytes of all states together */
  constructor(log: LogReader, snapshots: SnapshotReader, keptBytes = KEPT_BYTES) {
    this.log = log;
    this.snapshots = snapshots;
    this.states = sizedLru<string, StreamState>(
      KEPT_STATES,
      keptBytes,
      (state, stream) => this.fold(stream).bytes?.(state) ?? STATE_BYTES,
    );
  }

  fold(stream: string): Fold<StreamState> {
    const fold = foldOf(stream);
    if (fold === undefined) throw new Error(`No aggregate has streams named like ${stream}.`);
    return fold as Fold<StreamState>;
  }

  /** The state at the stream's end. It is the caller's alone until it is handed back with `keep`. */
  async take(stream: string): Promise<StreamState> {
    const kept = this.states.get(stream);
    if (kept === undefined) return this.load(stream);
    this.states.delete(stream);
    return kept;
  }

  /** Keeps a state that the log agrees with. After a failed append the caller does not hand it back. */
  keep(stream: string, state: StreamState): void {
    this.states.set(stream, state);
  }

  private async load(stream: string): Promise<StreamState> {
    const fold = this.fold(stream);
    const snapshot = await this.snapshots.latest(stream);
    const known = snapshot !== undefined && snapshot.version === fold.version;
    return this.upToEnd(stream, known ? fold.fromJson(snapshot.state) : fold.initial());
  }

  /** The state with the events that others have appended since. */
  async upToEnd(stream: string, known: StreamState): Promise<StreamState> {
    const fold = this.fold(stream);
    let state = known;
    for (;;) {
      const events = await this.log.readStream({ stream, from: state.sequence + 1, limit: PAGE });
      for (const event of events) state = fold.evolve(state, event);
      if (!isFull(events, PAGE)) return state;
    }
  }
}
