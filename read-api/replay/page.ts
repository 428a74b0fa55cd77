/** A page of events on its way to text: everything that opening it needs, so that it can be done on another thread. */
import type { KeyObject } from 'node:crypto';

export interface ReplayPage {
  /** Whole lines of text, complete but for what is sealed. One string, because that travels between threads fastest. */
  readonly lines: string;
  /** By person; whoever is not in it can be read no more. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Messages that may not be opened. */
  readonly deleted: ReadonlySet<string>;
}

/** Text, or its bytes in UTF-8. */
export type Lines = string | Uint8Array;

const SEALED = '"sealed":{';

/**
 * Value of a string field that holds nothing JSON would escape, found without parsing the rest: an id, base64, a stream's
 * name. Inside a JSON string every quote is escaped, so `"name":"` is always a field.
 */
export const plainField = (json: string, name: string, from: number): string => {
  const start = json.indexOf(`"${name}":"`, from) + name.length + 4;
  return json.slice(start, json.indexOf('"', start));
};

/** Where the next sealed part begins, or -1. Its object has no inner one. */
export const sealedAt = (json: string, from = 0): number => json.indexOf(SEALED, from);
export const sealedEnd = (json: string, start: number): number => json.indexOf('}', start) + 1;
export const authorOf = (json: string, start: number): string => plainField(json, 'by', start);
export const boxOf = (json: string, start: number): string => plainField(json, 'box', start);
export const messageIdOf = (json: string, from = 0): string => plainField(json, 'messageId', from);
