/** The event log in PostgreSQL, shared by any number of nodes. */

import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import type { Clock } from '../../schemas/clock.ts';
import { connectTo, Postgres } from '../../stores/postgres/connection.ts';
import { migrate } from '../../stores/postgres/migrations.ts';
import type { EventLog } from '../port.ts';
import { Bell, OpenTails, startTail } from '../tail.ts';
import { Appender } from './appender.ts';
import { CHANNEL, LOG_MIGRATIONS } from './migrations.ts';
import { OwnCommits } from './own-commits.ts';
import { Reader } from './reader.ts';
import { tailSource } from './tail-source.ts';

export interface PostgresEventLogOptions {
  /** `postgres://[user:password@]host[:port]/database[?sslmode=...]` */
  readonly url: string;
  /** Called after every commit of this node with the number of events made durable. */
  readonly onCommit?: (events: number) => void;
  /** Connections for reading. Default 8. */
  readonly poolSize?: number;
  readonly clock: Clock;
}

const FORMAT = 1;
/** Tails poll at this interval; notifications only wake them sooner. */
const LOOK_MS = 250;
const PAUSE_MS = 500;

/** @returns the log's epoch */
const prepare = async (postgres: Postgres): Promise<string> => {
  await migrate(postgres, LOG_MIGRATIONS);
  await postgres.rows('INSERT INTO parley_log (format, epoch) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    FORMAT,
    randomUUID(),
  ]);
  const [row] = await postgres.rows<[format: number, epoch: string]>('SELECT format, epoch FROM parley_log');
  const [format, epoch] = row!;
  if (format > FORMAT)
    throw new Error(
      `The event log has format ${format}; this Parley knows formats up to ${FORMAT}: start a newer one.`,
    );
  return epoch;
};

/** Rings when another node has committed, or may have. */
class Listener {
  /** How often it has rung. */
  rings = 0;
  private readonly url: string;
  private readonly bell: Bell;
  private readonly stopping = new AbortController();
  private connection: Client | undefined;
  private readonly clock: Clock;
  private readonly own: () => number | undefined;
  private readonly endLooks: () => void;

  /** @param own the server's process that commits for this node, which rings by itself once that is answered */
  constructor(url: string, bell: Bell, clock: Clock, own: () => number | undefined) {
    this.url = url;
    this.bell = bell;
    this.clock = clock;
    this.own = own;
    this.endLooks = clock.every(LOOK_MS, () => this.ring());
    void this.listen();
  }

  private async listen(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        let lose = () => {};
        const lost = new Promise<void>((resolve) => {
          lose = resolve;
        });
        this.connection = await connectTo(this.url, 'log', lose);
        this.connection.on('notification', ({ processId }) => {
          if (processId !== this.own()) this.ring();
        });
        await this.connection.query(`LISTEN ${CHANNEL}`);
        if (this.stopping.signal.aborted) await this.connection.end();
        await lost;
      } catch {
        // Until it is back, tails poll.
      }
      await this.clock.delay(PAUSE_MS, this.stopping.signal);
    }
  }

  private ring(): void {
    this.rings += 1;
    this.bell.ring();
  }

  async stop(): Promise<void> {
    this.endLooks();
    this.stopping.abort();
    await this.connection?.end().catch(() => {});
  }
}

/** @throws when the server cannot be reached or holds a newer Parley's log. */
export const openPostgresEventLog = async (options: PostgresEventLogOptions): Promise<EventLog> => {
  const { url, onCommit = () => {}, poolSize, clock } = options;
  const postgres = new Postgres('log', { url, connections: poolSize });
  let epoch = await prepare(postgres).catch(async (error: unknown) => {
    await postgres.close();
    throw error;
  });
  const reader = new Reader(postgres);
  const bell = new Bell();
  const tails = new OpenTails(() => bell.ring());
  let closed = false;
  const commits = new OwnCommits();
  const appender = new Appender(url, clock, (events, stored) => {
    if (commits.isKept) commits.push(stored());
    bell.ring();
    onCommit(events);
  });
  const listener = new Listener(url, bell, clock, () => appender.processId);
  const isClosed = () => closed;
  const checked = () => tailSource((query) => reader.readAll(query), bell, isClosed);
  const known = {
    after: (position: number, limit: number) => commits.after(position, limit),
    get others() {
      return listener.rings;
    },
  };
  const raw = () => tailSource((query) => reader.rawAll(query), bell, isClosed, known);

  return {
    get epoch() {
      return epoch;
    },
    maxAppendBytes: Number.POSITIVE_INFINITY,
    append: (request) => appender.append(request),
    async renewEpoch() {
      // If several nodes renew at once, the first decides.
      await postgres.rows('UPDATE parley_log SET epoch = $1 WHERE epoch = $2', [randomUUID(), epoch]);
      const [row] = await postgres.rows<[string]>('SELECT epoch FROM parley_log');
      [epoch] = row!;
    },
    head: () => reader.head(),
    streamHead: (stream) => reader.streamHead(stream),
    streamHeads: (streams) => reader.streamHeads(streams),
    streams: (query) => reader.streams(query),
    readStream: (query) => reader.readStream(query),
    readAll: (query) => reader.readAll(query),
    rawAll: (query) => reader.rawAll(query),
    tail: (after, onEvents, onFailure) => tails.add(startTail(checked(), after, onEvents, onFailure)),
    rawTail(after, onEvents, onFailure) {
      const closed = commits.open();
      const tail = tails.add(startTail(raw(), after, onEvents, onFailure));
      return { stop: () => tail.stop().finally(closed) };
    },
    async close() {
      await appender.close();
      closed = true;
      await tails.stop();
      await listener.stop();
      await postgres.close();
    },
  };
};
