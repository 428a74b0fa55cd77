/** What a tail of the log in PostgreSQL reads: one query for what a commit brings. */

import { StoreUnavailable } from '../../schemas/errors.ts';
import { isFull, type ReadAll } from '../port.ts';
import type { Bell, TailSource } from '../tail.ts';

interface Read<E> {
  readonly events: readonly E[];
  /** Resolves when there may be more. */
  readonly more: Promise<void>;
}

/** What is known without a question. */
export interface Known<E> {
  /** The events that follow a position, or undefined if that is not known. */
  after(position: number, limit: number): readonly E[] | undefined;
  /** How often other nodes may have committed, as far as was heard. */
  readonly others: number;
}

const NOTHING_KNOWN: Known<never> = { after: () => undefined, others: 0 };

/** @param read answers with a page of all events */
export const tailSource = <E extends { readonly position: number; readonly data: unknown }>(
  read: (query: ReadAll) => Promise<{ readonly events: readonly E[] }>,
  bell: Bell,
  isClosed: () => boolean,
  known: Known<E> = NOTHING_KNOWN,
): TailSource<E> => {
  let more = Promise.resolve();
  /** Of other nodes' commits, those that the last question was behind. */
  let asked = -1;
  /** The page after a full one, which is read while that one is handed over. */
  let ahead: (ReadAll & { readonly page: Promise<Read<E>> }) | undefined;

  const page = async (after: number, limit: number): Promise<Read<E>> => {
    // What is committed during the question rings too.
    const rung = bell.wait();
    // Behind what is known there may be what others committed before, and their bell has rung.
    const own = asked === known.others ? known.after(after, limit) : undefined;
    if (own !== undefined) return { events: own, more: isFull(own, limit) ? Promise.resolve() : rung };
    const { others } = known;
    try {
      const { events } = await read({ after, limit });
      asked = others;
      return { events, more: isFull(events, limit) ? Promise.resolve() : rung };
    } catch (error) {
      // While the server is gone the tail waits. Anything else will not pass.
      if (isClosed() || !(error instanceof StoreUnavailable)) throw error;
      return { events: [], more: rung };
    }
  };

  return {
    async next(after, limit) {
      const former = ahead;
      ahead = undefined;
      const { events, more: next } = await (former?.after === after && former.limit === limit
        ? former.page
        : page(after, limit));
      more = next;
      if (isFull(events, limit)) {
        const end = events.at(-1)!.position;
        ahead = { after: end, limit, page: page(end, limit) };
        // Nobody may ask for it.
        ahead.page.catch(() => {});
      }
      return events;
    },
    more: (_position, signal) => (signal.aborted ? Promise.resolve() : more),
  };
};
