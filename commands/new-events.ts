/** Turns a decided event into what the log stores: its id, its sequence number, its envelope and its sealed text. */

import { randomUUID } from 'node:crypto';
import { parse as uuidBytes, v5 as uuidv5 } from 'uuid';
import { type DecidedEvent, type NewParleyEvent, takesReason, versionOf } from '../schemas/events/catalogue.ts';
import { type KeyRing, sealText } from '../vault/sealing.ts';

/** Namespace of our event ids. */
const NAMESPACE = uuidBytes('6f1c6a52-0c3b-5d6e-9a77-3f0d6b1f2a10');

/**
 * Unique to this process. Two nodes that carry out one command at one sequence make two events. A store that takes
 * equal ids for the same event (KurrentDB does, whatever they contain) must not tell both nodes that theirs is stored.
 */
const MAKER = randomUUID();

/** Who caused an event, and by which command. */
export interface Cause {
  readonly actor: string;
  /** Idempotency key: see `domain/recent-keys.ts`. */
  readonly key: string;
  /** The key that the command's own fields hold beside `key`: a repeat is a repeat by either. */
  readonly secondKey?: string | undefined;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly traceparent: string | null;
  /** Why the actor does it, for events that keep a reason. */
  readonly reason?: string | undefined;
}

/** A user whose key was destroyed can say nothing more. */
export class KeyGone extends Error {}

/** Whose keys must be at hand to make the event. */
export const sealedBy = ({ secret, type }: DecidedEvent, { actor, reason }: Cause): readonly string[] => [
  ...(secret === undefined ? [] : [secret.by]),
  ...(reason !== undefined && takesReason(type) ? [actor] : []),
];

/**
 * @param decided is consumed: the event takes over its data.
 * @param keys have already looked up the keys of `sealedBy`.
 * @throws KeyGone when the person whose text the event carries has no key any more.
 */
export const toNewEvent = (
  decided: DecidedEvent,
  stream: string,
  sequence: number,
  cause: Cause,
  now: number,
  keys: KeyRing,
): NewParleyEvent => {
  const id = uuidv5(Buffer.from(`${stream}\n${sequence}\n${cause.key}\n${MAKER}`), NAMESPACE);
  const sealedText = (by: string, text: string) => {
    const key = keys.cached(by);
    if (key === undefined || key === null) throw new KeyGone(by);
    return sealText(key, { stream, eventId: id, by }, text);
  };
  const { data, secret } = decided;
  if (secret !== undefined) Object.assign(data, { sealed: sealedText(secret.by, secret.text) });
  if (cause.reason !== undefined && takesReason(decided.type))
    Object.assign(data, { reason: { sealed: sealedText(cause.actor, JSON.stringify(cause.reason)) } });
  return {
    id,
    type: decided.type,
    schema: versionOf(decided.type),
    stream,
    sequence,
    time: decided.time ?? now,
    actor: cause.actor,
    key: cause.key,
    correlationId: cause.correlationId,
    causationId: cause.causationId,
    traceparent: cause.traceparent,
    data,
  } as NewParleyEvent;
};
