/** The JSON messages in the channels of the feed. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { Takeover } from '../../coordination/port.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import { decodeEvent, type ParleyEvent } from '../../schemas/events/catalogue.ts';
import { EmptyRange } from '../engine/empty-ranges.ts';
import type { TypingTold } from './port.ts';

/** One batch of a partition. */
export const BatchNumbers = t.type({
  /** `to` of the previous batch. The partition has no event between it and this batch. */
  from: t.number,
  /** Position of the batch's last event; `from` if it has none. */
  to: t.number,
  /** How far the partition was examined: after `to` it has no event up to here. */
  through: t.number,
});
export type BatchNumbers = t.TypeOf<typeof BatchNumbers>;

/** A batch's events for one channel. */
export const Pulse = t.intersection([BatchNumbers, t.type({ events: t.array(t.UnknownRecord) })]);
export type Pulse = BatchNumbers & { readonly events: readonly ParleyEvent[] };

/**
 * Names every channel for which the batch has events, and says which other partitions have none in a range. Published after
 * its pulses.
 */
export const Manifest = t.intersection([
  BatchNumbers,
  t.type({ channels: t.array(t.string) }),
  t.partial({ empty: t.array(EmptyRange) }),
]);
export type Manifest = BatchNumbers & {
  readonly channels: readonly string[];
  readonly empty?: readonly EmptyRange[];
};

const TypingMessage = t.type({
  typing: t.type({ channelId: t.string, guildId: t.union([t.string, t.null]), userId: t.string, time: t.number }),
});

const TakeoverMessage = t.type({ takeover: t.type({ userId: t.string, sessionId: t.string, claim: t.string }) });

/** Published by a node of another version, or by some other program. */
export class UnreadableMessage extends Error {}

const decoded = <A>(codec: t.Type<A, unknown, unknown>, value: unknown): A => {
  const result = codec.decode(value);
  if (either.isLeft(result)) throw new UnreadableMessage(`Not a ${codec.name} of the feed`);
  return result.right;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnreadableMessage('Not a message of the feed', { cause });
  }
};

export const encodePulse = (pulse: Pulse): string => JSON.stringify(pulse);
export const encodeManifest = (manifest: Manifest): string => JSON.stringify(manifest);
export const encodeTyping = (typing: TypingTold): string => JSON.stringify({ typing });
export const encodeTakeover = (takeover: Takeover): string => JSON.stringify({ takeover });

/** @throws UnreadableMessage */
export const decodeManifest = (text: string): Manifest => decoded(Manifest, parsed(text));

/** Parses a message from any channel but the manifests'. @throws UnreadableMessage, UnreadableEvent */
export const decodeSaid = (text: string): Pulse | { readonly typing: TypingTold } | { readonly takeover: Takeover } => {
  const value = parsed(text);
  if (TypingMessage.is(value) || TakeoverMessage.is(value)) return value;
  const { events, ...batch } = decoded(Pulse, value);
  return { ...batch, events: events.map((event) => decodeEvent(event as unknown as Recorded)) };
};
