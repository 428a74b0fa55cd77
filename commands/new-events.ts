/** Turns a decided event into what the log stores: its id, its sequence number, its envelope and its sealed text. */

import { randomUUID } from 'node:crypto';
import { withContent } from '../domain/recent-keys.ts';
import { type DecidedEvent, type NewParleyEvent, takesReason, versionOf } from '../schemas/events/catalogue.ts';
import { fingerprint, type KeyRing, sealText } from '../vault/sealing.ts';

/** Who caused an event, and by which command. */
export interface Cause {
  readonly actor: string;
  /** Idempotency key: see `domain/recent-keys.ts`. */
  readonly key: string;
  /** The key that the command's own fields hold beside `key`: a repeat is a repeat by either. */
  readonly secondKey?: string | undefined;
  /** What the command asks for, where its client gave it an id: under the same id nothing else is carried out. */
  readonly content?: unknown;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly traceparent: string | null;
  /** Why the actor does it, for events that keep a reason. */
  readonly reason?: string | undefined;
}

/** A user whose key was destroyed can say nothing more. */
export class KeyGone extends Error {}

/** Whose keys must be at hand to make the event. */
export const sealedBy = ({ secret, type }: DecidedEvent, { actor, reason, content }: Cause): readonly string[] => [
  ...(secret === undefined ? [] : [secret.by]),
  ...(content !== undefined || (reason !== undefined && takesReason(type)) ? [actor] : []),
];

/** Of what a command asks for. @param keys have already looked up the key of the actor, who may have none any more. */
export const fingerprintOf = ({ actor, content }: Cause, keys: KeyRing): string | undefined => {
  const key = content === undefined ? undefined : keys.cached(actor);
  return key === undefined || key === null ? undefined : fingerprint(key, content);
};

/** The cause with its key as all events of the command carry it. @param keys as of `fingerprintOf` */
export const withFingerprint = (cause: Cause, keys: KeyRing): Cause => {
  const content = fingerprintOf(cause, keys);
  return content === undefined ? cause : { ...cause, key: withContent(cause.key, content) };
};

/**
 * @param decided is consumed: the event takes over its data.
 * @param cause as `withFingerprint` gives it
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
  // Of this attempt alone: a store that takes equal ids for the same event (KurrentDB does, whatever they contain) must not
  // tell two nodes that carry out one command that the event of each is stored. Retries of an append carry the same event.
  const id = randomUUID();
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
