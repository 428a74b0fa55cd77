/** Turns a decided event into what the log stores: its id, its sequence number, its envelope and its sealed text. */

import { randomUUID } from 'node:crypto';
import { parse as uuidBytes, v5 as uuidv5 } from 'uuid';
import { type DecidedEvent, type NewParleyEvent, versionOf } from '../schemas/events/catalogue.ts';
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
}

/** A user whose key was destroyed can say nothing more. */
export class KeyGone extends Error {}

/**
 * @param decided is consumed: the event takes over its data.
 * @param keys have already looked up the keys of the text's author.
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
  let data: unknown = decided.data;
  if (decided.secret !== undefined) {
    const { by, text } = decided.secret;
    const key = keys.cached(by);
    if (key === undefined || key === null) throw new KeyGone(by);
    data = Object.assign(decided.data, { sealed: sealText(key, { stream, eventId: id, by }, text) });
  }
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
