/** A part of a shared log that behaves like a log of its own: for servers that specs cannot restart. */

import { either } from 'fp-ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { EventLog, ReadAll, StreamHead } from '../port.ts';

/**
 * @param own prefix of the part's stream names, hidden from its users
 * @param base position below which the part is empty; nobody else may append while it is used
 */
export const partOf = (log: EventLog, own: string, base: number): EventLog => {
  const inside = (name: string) => `${own}${name}`;
  const shown = <E extends { readonly stream: string }>(event: E): E => ({
    ...event,
    stream: event.stream.slice(own.length),
  });
  const isInside = ({ stream }: { readonly stream: string }) => stream.startsWith(own);
  const beyondBase = (after: number) => Math.max(after, base);
  const all = ({ prefix = '', after, ...query }: ReadAll): ReadAll => ({
    ...query,
    after: beyondBase(after),
    prefix: inside(prefix),
  });

  return {
    get epoch() {
      return `${own}${log.epoch}`;
    },
    async append({ stream, expected, events }) {
      const moved = events.map((event) => ({ ...event, stream: inside(event.stream) }));
      const answer = await log.append({ stream: inside(stream), expected, events: moved });
      return either.isLeft(answer) ? answer : either.right(answer.right.map(shown));
    },
    async head() {
      const head = await log.head();
      return head > base ? head : 0;
    },
    streamHead: async (stream) => shown(await log.streamHead(inside(stream))),
    streamHeads: async (streams) => (await log.streamHeads(streams.map(inside))).map((head): StreamHead => shown(head)),
    async streams({ prefix = '', after, limit }) {
      const query = { prefix: inside(prefix), ...(after !== undefined && { after: inside(after) }), limit };
      return (await log.streams(query)).map((head): StreamHead => shown(head));
    },
    readStream: async (query) => (await log.readStream({ ...query, stream: inside(query.stream) })).map(shown),
    async readAll(query) {
      const { events, through } = await log.readAll(all(query));
      return { events: events.map(shown), through };
    },
    async rawAll(query) {
      const { events, through } = await log.rawAll(all(query));
      return { events: events.map(shown), through };
    },
    tail: (after, onEvents, onFailure) =>
      log.tail(
        beyondBase(after),
        async (events) => {
          const ours = events.filter(isInside).map((event): ParleyEvent => shown(event));
          if (ours.length > 0) await onEvents(ours);
        },
        onFailure,
      ),
    rawTail: (after, onEvents, onFailure) =>
      log.rawTail(
        beyondBase(after),
        async (events) => {
          const ours = events.filter(isInside).map((event) => shown(event));
          if (ours.length > 0) await onEvents(ours);
        },
        onFailure,
      ),
    maxAppendBytes: log.maxAppendBytes,
    renewEpoch: () => log.renewEpoch(),
    close: () => log.close(),
  };
};
