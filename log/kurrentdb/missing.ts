/** Events that an operator has hidden or removed from one of our streams. Nothing of ours is ever deleted by Parley. */

import type { RecordedEvent } from '@eventstore/db-client';
import type { StreamRange } from './reading.ts';

/** A stream cannot be read as it was written. Repeating the read does not help. */
export class EventsMissing extends Error {
  readonly stream: string;

  constructor(stream: string, what: string) {
    super(
      `Stream ${JSON.stringify(stream)} ${what}. An operator must undo that in KurrentDB; what was scavenged meanwhile comes back only from a backup.`,
    );
    this.stream = stream;
  }
}

/** Our user may read other streams. Nothing is missing, and reads succeed again once an operator gives the right back. */
export class ReadForbidden extends Error {
  constructor(stream: string) {
    super(
      `Stream ${JSON.stringify(stream)} may not be read by our user, who may read others: an operator has set its rights ($acl) in KurrentDB, and must undo that.`,
    );
  }
}

const HIDDEN = 'an operator has hidden what came before ($maxCount, $maxAge, $tb or a deletion)';

export const deletedSoftly = (stream: string): EventsMissing =>
  new EventsMissing(stream, 'was deleted by an operator (a soft delete)');

export const deletedForGood = (stream: string): EventsMissing =>
  new EventsMissing(stream, 'was deleted for good by an operator (tombstoned)');

export const emptied = (stream: string): EventsMissing => new EventsMissing(stream, `is empty: ${HIDDEN}`);

const firstGap = (found: readonly RecordedEvent[], first: bigint, step: bigint): number =>
  found.findIndex(({ revision }, i) => revision !== first + step * BigInt(i));

/**
 * Sequences have no gaps, and begin at 1.
 * @param ended whether the read has come to the end of the stream
 */
export const missingIn = (
  stream: string,
  found: readonly RecordedEvent[],
  { fromRevision, direction }: StreamRange,
  ended: boolean,
): EventsMissing | undefined => {
  if (found.length === 0) return undefined;
  const forwards = direction === 'forwards';
  const first = forwards && fromRevision !== 'end' ? fromRevision : found[0]!.revision;
  const gap = firstGap(found, first, forwards ? 1n : -1n);
  if (gap >= 0) {
    const at = found[gap]!.revision + 1n;
    return gap === 0
      ? new EventsMissing(stream, `begins at sequence ${at}, after ${first + 1n} was asked for: ${HIDDEN}`)
      : new EventsMissing(stream, `has a gap beside sequence ${at}: events were removed from its middle`);
  }
  const last = found.at(-1)!.revision;
  return !forwards && ended && last > 0n
    ? new EventsMissing(stream, `begins at sequence ${last + 1n}: ${HIDDEN}`)
    : undefined;
};
