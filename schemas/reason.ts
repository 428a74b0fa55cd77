/** Why somebody does something, for the audit log: a header over HTTP, a field of op 100. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { decode, optional, text } from './codecs.ts';
import type { ParleyError } from './errors.ts';

/** Code points. */
export const MAX_REASON = 512;
const Reason = optional(text(0, MAX_REASON, 'reason'));

const NONE = either.right(undefined);

/** @param name of the field or header, for the refusal; without a text there is no reason */
export const reasonGiven = (name: string, given: unknown): Either<ParleyError, string | undefined> =>
  given === undefined
    ? NONE
    : either.map((fields: Readonly<Record<string, string | null | undefined>>) => fields[name] || undefined)(
        decode(t.type({ [name]: Reason }), { [name]: given }),
      );

/** What a header says is escaped with percent signs. One that its sender did not escape stands for itself. */
export const unescapedReason = (header: string): string => {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
};
