/** A page of events on its way to text: everything that turning it into lines needs, so that it can be done on another thread. */
import type { KeyObject } from 'node:crypto';
import type { StoredEvent } from '../../log/port.ts';

export interface ReplayPage {
  /** `sse`: server-sent events, whose ids say where to go on. */
  readonly format: 'ndjson' | 'sse';
  /** What the ids of server-sent events are. */
  readonly ids: 'sequence' | 'position';
  readonly events: readonly StoredEvent[];
  /** By person; whoever is not in it can be read no more. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Messages that may not be opened. */
  readonly deleted: ReadonlySet<string>;
}

const SEALED = '"sealed":{';

/** Value of a string field that holds nothing JSON would escape: an id, base64. */
const plainField = (json: string, name: string, from: number): string => {
  const start = json.indexOf(`"${name}":"`, from) + name.length + 4;
  return json.slice(start, json.indexOf('"', start));
};

/**
 * Where the sealed part of an event's data begins, or -1; found without parsing the rest. Inside a JSON string every
 * quote is escaped, so this text is always a field; its object has no inner one.
 */
export const sealedAt = (data: string): number => data.indexOf(SEALED);
export const sealedEnd = (data: string, start: number): number => data.indexOf('}', start) + 1;
export const authorOf = (data: string, start: number): string => plainField(data, 'by', start);
export const boxOf = (data: string, start: number): string => plainField(data, 'box', start);
export const messageIdOf = (data: string): string => plainField(data, 'messageId', 0);
