/** For specs of the read side: events without ceremony, and a log in memory. */
import type { EventData, EventOf, EventType, ParleyEvent } from '../schemas/events/catalogue.ts';
import type { LogReader, Page, ReadAll, ReadStream, StoredPage, StreamHead, Tail } from './port.ts';

/** Milliseconds since 1970 of the event at position 0. */
export const TIME_ZERO = 1_700_000_000_000;

/** The log without `append`, filled by `add`, which takes events as they come. */
export class MemoryLog implements LogReader {
  readonly epoch: string;
  readonly all: ParleyEvent[] = [];
  private readonly byStream = new Map<string, ParleyEvent[]>();
  private readonly wakers = new Set<() => void>();

  constructor(epoch = 'first') {
    this.epoch = epoch;
  }

  /** Appends an event with the next sequence of its stream and the next position. */
  add<K extends EventType>(stream: string, type: K, data: EventData<K>): EventOf<K> {
    const events = this.byStream.get(stream) ?? [];
    const position = this.all.length + 1;
    const sequence = events.length + 1;
    const event = {
      id: `event-${position}`,
      type,
      schema: 1,
      stream,
      sequence,
      position,
      time: TIME_ZERO + position,
      actor: '1',
      key: null,
      correlationId: `correlation-${position}`,
      causationId: null,
      traceparent: null,
      data,
    } as unknown as EventOf<K>;
    events.push(event);
    this.byStream.set(stream, events);
    this.all.push(event);
    for (const wake of this.wakers) wake();
    return event;
  }

  /** Takes over the events of another log, as if they had all been appended at once. */
  replaceWith(other: MemoryLog): this {
    this.all.splice(0);
    for (const event of other.all) this.all.push(event);
    this.byStream.clear();
    for (const [stream, events] of other.byStream) this.byStream.set(stream, [...events]);
    for (const wake of this.wakers) wake();
    return this;
  }

  async head(): Promise<number> {
    return this.all.length;
  }

  async streamHead(stream: string): Promise<StreamHead> {
    const last = this.byStream.get(stream)?.at(-1);
    return { stream, sequence: last?.sequence ?? 0, position: last?.position ?? 0 };
  }

  async streams(query: { prefix?: string; after?: string; limit: number }): Promise<readonly StreamHead[]> {
    const names = [...this.byStream.keys()]
      .filter((name) => name.startsWith(query.prefix ?? '') && name > (query.after ?? ''))
      .sort()
      .slice(0, query.limit);
    return Promise.all(names.map((name) => this.streamHead(name)));
  }

  async readStream({ stream, from, direction = 'forwards', limit }: ReadStream): Promise<readonly ParleyEvent[]> {
    const events = this.byStream.get(stream) ?? [];
    if (direction === 'forwards') return events.slice((from ?? 1) - 1, (from ?? 1) - 1 + limit);
    const end = from ?? events.length;
    return events.slice(Math.max(0, end - limit), end).reverse();
  }

  async readAll({ after, types, prefix = '', limit }: ReadAll): Promise<Page> {
    const looked = this.all.slice(after, after + limit);
    return {
      events: looked.filter((e) => e.stream.startsWith(prefix) && (types === undefined || types.includes(e.type))),
      through: after + looked.length,
    };
  }

  async rawAll(query: ReadAll): Promise<StoredPage> {
    const { events, through } = await this.readAll(query);
    return { events: events.map((event) => ({ ...event, data: JSON.stringify(event.data) })), through };
  }

  tail(
    after: number,
    onEvents: (events: readonly ParleyEvent[]) => Promise<void>,
    onFailure: (error: unknown) => void,
  ): Tail {
    let stopped = false;
    let wake = () => {};
    const follow = async () => {
      for (let through = after; !stopped; ) {
        const events = this.all.slice(through, through + 1000);
        if (events.length > 0) {
          await onEvents(events);
          through += events.length;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            this.wakers.add(wake);
          });
          this.wakers.delete(wake);
        }
      }
    };
    const followed = follow().catch(onFailure);
    return {
      stop: async () => {
        stopped = true;
        wake();
        await followed;
      },
    };
  }
}
