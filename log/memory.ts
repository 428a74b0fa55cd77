/** The event log in memory: small, deterministic, for one process. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { recordedAs } from '../schemas/envelope.ts';
import {
  decodeEvent,
  type EventData,
  type EventOf,
  type EventType,
  type NewParleyEvent,
  type ParleyEvent,
  versionOf,
} from '../schemas/events/catalogue.ts';
import { refusalOfData, refusalOfText } from './append-errors.ts';
import {
  type AppendError,
  type Appended,
  type AppendRequest,
  checkLimit,
  checkSequences,
  type EventLog,
  type Page,
  PageSize,
  type ReadAll,
  type ReadStream,
  type StoredEvent,
  type StoredPage,
  type StreamHead,
  type Tail,
} from './port.ts';
import { Bell, OpenTails, startTail } from './tail.ts';

/** Milliseconds since 1970 of the event at position 0. */
export const TIME_ZERO = 1_700_000_000_000;

/** The data of a closed log, for the next log opened on it. */
interface Kept {
  epoch: string;
  readonly all: ParleyEvent[];
  readonly byStream: Map<string, ParleyEvent[]>;
}

const storedOf = (event: ParleyEvent): StoredEvent => ({ ...event, data: JSON.stringify(event.data) });

/** `add` appends events directly, for specs that need no commands. */
export class MemoryLog implements EventLog {
  readonly maxAppendBytes = Number.POSITIVE_INFINITY;
  private readonly kept: Kept;
  private readonly bell = new Bell();
  private readonly tails = new OpenTails(() => this.bell.ring());
  private closed = false;

  constructor(epoch = 'first', kept: Kept = { epoch, all: [], byStream: new Map() }) {
    this.kept = kept;
  }

  get epoch(): string {
    return this.kept.epoch;
  }

  get all(): ParleyEvent[] {
    return this.kept.all;
  }

  private get byStream(): Map<string, ParleyEvent[]> {
    return this.kept.byStream;
  }

  async append(request: AppendRequest): Promise<Either<AppendError, Appended>> {
    checkSequences(request);
    if (this.closed) return either.left({ kind: 'unavailable', reason: 'the log is closed' });
    const refusal = refusalOfText(request) ?? refusalOfData(request);
    if (refusal !== undefined) return either.left(refusal);
    const { stream, expected, events } = request;
    const actual = this.byStream.get(stream)?.length ?? 0;
    if (actual !== expected) return either.left({ kind: 'conflict', actual });
    const appended = events.map((event) => this.store(event));
    this.bell.ring();
    return either.right(appended);
  }

  private store(event: NewParleyEvent): ParleyEvent {
    const stored = recordedAs(event, this.all.length + 1, event.data) as ParleyEvent;
    const events = this.byStream.get(event.stream) ?? [];
    events.push(stored);
    this.byStream.set(event.stream, events);
    this.all.push(stored);
    return stored;
  }

  async renewEpoch(): Promise<void> {
    this.kept.epoch = `${this.kept.epoch}, renewed`;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.tails.stop();
  }

  /** The same log after a restart. */
  async reopen(): Promise<MemoryLog> {
    await this.close();
    return new MemoryLog(this.epoch, this.kept);
  }

  /** Appends an event with the next sequence of its stream and the next position. */
  add<K extends EventType>(stream: string, type: K, data: EventData<K>, actor = '1'): EventOf<K> {
    const position = this.all.length + 1;
    const added = this.store({
      id: `event-${position}`,
      type,
      schema: versionOf(type),
      stream,
      sequence: (this.byStream.get(stream)?.length ?? 0) + 1,
      time: TIME_ZERO + position,
      actor,
      key: null,
      correlationId: `correlation-${position}`,
      causationId: null,
      traceparent: null,
      data,
    } as unknown as NewParleyEvent);
    this.bell.ring();
    return added as EventOf<K>;
  }

  /** Takes over the events of another log, as if all had been appended at once. */
  replaceWith(other: MemoryLog): this {
    this.all.splice(0);
    for (const event of other.all) this.all.push(event);
    this.byStream.clear();
    for (const [stream, events] of other.byStream) this.byStream.set(stream, [...events]);
    this.bell.ring();
    return this;
  }

  async head(): Promise<number> {
    return this.all.length;
  }

  async streamHead(stream: string): Promise<StreamHead> {
    const last = this.byStream.get(stream)?.at(-1);
    return { stream, sequence: last?.sequence ?? 0, position: last?.position ?? 0 };
  }

  streamHeads(streams: readonly string[]): Promise<readonly StreamHead[]> {
    return Promise.all(streams.map((stream) => this.streamHead(stream)));
  }

  async streams(query: { prefix?: string; after?: string; limit: number }): Promise<readonly StreamHead[]> {
    const names = [...this.byStream.keys()]
      .filter((name) => name.startsWith(query.prefix ?? '') && name > (query.after ?? ''))
      .sort()
      .slice(0, query.limit);
    return this.streamHeads(names);
  }

  async readStream({ stream, from, direction = 'forwards', limit }: ReadStream): Promise<readonly ParleyEvent[]> {
    checkLimit(limit);
    const all = this.byStream.get(stream) ?? [];
    const step = direction === 'forwards' ? 1 : -1;
    const events: ParleyEvent[] = [];
    const size = new PageSize(limit);
    const first = step > 0 ? Math.max(from ?? 1, 1) : Math.min(from ?? all.length, all.length);
    for (let at = first - 1; at in all && !size.isFull; at += step) {
      const event = decodeEvent(all[at]!);
      events.push(event);
      size.add(event);
    }
    return events;
  }

  async readAll(query: ReadAll): Promise<Page> {
    return this.scan(query, decodeEvent);
  }

  private scan<E extends ParleyEvent | StoredEvent>(
    { after, types, prefix = '', limit }: ReadAll,
    form: (event: ParleyEvent) => E,
  ): { events: readonly E[]; through: number } {
    checkLimit(limit);
    const events: E[] = [];
    const size = new PageSize(limit);
    for (let at = after; at < this.all.length; at += 1) {
      if (!this.all[at]!.stream.startsWith(prefix) || types?.includes(this.all[at]!.type) === false) continue;
      const event = form(this.all[at]!);
      events.push(event);
      size.add(event);
      if (size.isFull) return { events, through: event.position };
    }
    return { events, through: Math.max(after, this.all.length) };
  }

  async rawAll(query: ReadAll): Promise<StoredPage> {
    return this.scan(query, storedOf);
  }

  tail(
    after: number,
    onEvents: (events: readonly ParleyEvent[]) => Promise<void>,
    onFailure: (error: unknown) => void,
  ): Tail {
    const next = async (position: number, limit: number) =>
      this.all.slice(position, position + limit).map((event) => decodeEvent(event));
    return this.follow(next, after, onEvents, onFailure);
  }

  rawTail(
    after: number,
    onEvents: (events: readonly StoredEvent[]) => Promise<void>,
    onFailure: (error: unknown) => void,
  ): Tail {
    const next = async (after: number, limit: number) => (await this.rawAll({ after, limit })).events;
    return this.follow(next, after, onEvents, onFailure);
  }

  private follow<E extends { readonly position: number }>(
    next: (position: number, limit: number) => Promise<readonly E[]>,
    after: number,
    onEvents: (events: readonly E[]) => Promise<void>,
    onFailure: (error: unknown) => void,
  ): Tail {
    const more = async (position: number) => {
      if (this.all.length <= position) await this.bell.wait();
    };
    return this.tails.add(startTail({ next, more }, after, onEvents, onFailure));
  }
}
