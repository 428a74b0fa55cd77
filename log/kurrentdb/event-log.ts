/** The event log in KurrentDB (EventStoreDB), shared by any number of nodes. */

import { randomUUID } from 'node:crypto';
import { ErrorType, jsonEvent } from '@eventstore/db-client';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { AppendingConnection, asking, connectTo, type Patience } from '../../stores/kurrentdb/connection.ts';
import { typeOf } from '../../stores/kurrentdb/failures.ts';
import type { EventLog } from '../port.ts';
import { OpenTails } from '../tail.ts';
import { Appender } from './appender.ts';
import { NOTES } from './events.ts';
import { Reader } from './reader.ts';
import { Names, startTail } from './tail.ts';

/** Format of our notes about the log (format and epoch), in a stream that readers never see. */
const FORMAT = 1;

interface Note {
  readonly format: number;
  readonly epoch: string;
}

class Notes {
  private readonly connection: AppendingConnection;
  private readonly reader: Reader;
  private readonly clock: Clock;

  constructor(connection: AppendingConnection, reader: Reader, clock: Clock) {
    this.connection = connection;
    this.reader = reader;
    this.clock = clock;
  }

  /** The log's epoch, set by whoever opens the log first. @throws when a newer Parley wrote the log */
  async epoch(): Promise<string> {
    for (;;) {
      const last = await this.last();
      if (last !== undefined && last.format > FORMAT)
        throw new Error(
          `The event log has format ${last.format}; this Parley knows formats up to ${FORMAT}: start a newer one.`,
        );
      if (last !== undefined) return last.epoch;
      await this.write(randomUUID(), 'no_stream');
    }
  }

  /** @returns the new epoch, once durable */
  async renew(): Promise<string> {
    const epoch = randomUUID();
    for (;;) {
      const last = await this.last();
      if (last?.epoch === epoch) return epoch;
      await this.write(epoch, last === undefined ? 'no_stream' : last.revision);
    }
  }

  private async last(): Promise<(Note & { readonly revision: bigint }) | undefined> {
    const { found } = await this.reader.recorded(NOTES, { fromRevision: 'end', direction: 'backwards', maxCount: 1 });
    const [event] = found;
    return event && { ...(event.data as unknown as Note), revision: event.revision };
  }

  /** The first writer wins; callers read again what is there. */
  private async write(epoch: string, expectedRevision: bigint | 'no_stream'): Promise<void> {
    const note = jsonEvent({ type: 'epoch-began', data: { format: FORMAT, epoch } });
    try {
      await asking(this.clock, () => this.connection.append(NOTES, [note], expectedRevision));
    } catch (error) {
      if (typeOf(error) !== ErrorType.WRONG_EXPECTED_VERSION) throw error;
    }
  }
}

export interface KurrentEventLogOptions {
  /**
   * `esdb://[user:password@]host:port[,host:port]?tls=...`; `esdb+discover://` for a cluster; `kurrentdb` for `esdb`
   */
  readonly url: string;
  /** Called after every commit of this node with the number of events made durable. */
  readonly onCommit?: (events: number) => void;
  readonly patience?: Patience;
  readonly clock: Clock;
}

/** @throws when the server cannot be reached, does not let this user read all events, or holds a newer Parley's log. */
export const openKurrentEventLog = async (options: KurrentEventLogOptions): Promise<EventLog> => {
  const { url, onCommit = () => {}, patience = BUDGETS.kurrentdb, clock } = options;
  const { silenceMs } = patience;
  const client = connectTo(url);
  const connection = new AppendingConnection(url, patience.answerMs);
  const reader = new Reader(client, silenceMs, clock);
  const notes = new Notes(connection, reader, clock);
  const closeConnections = () => Promise.all([client.dispose(), connection.close()]);
  const begin = async (): Promise<string> => {
    // Only some users may read all events: fail now rather than later.
    await reader.head();
    return notes.epoch();
  };
  let epoch = await begin().catch(async (error: unknown) => {
    await closeConnections();
    throw error;
  });
  const appender = new Appender(connection, reader, patience.triedMs, clock, onCommit);
  const source = { client, reading: reader.reading, silenceMs, clock };
  const names = new Names(source);
  const tails = new OpenTails();

  return {
    get epoch() {
      return epoch;
    },
    append: (request) => appender.append(request),
    async renewEpoch() {
      epoch = await notes.renew();
    },
    head: () => reader.head(),
    streamHead: (stream) => reader.streamHead(stream),
    streamHeads: (streams) => reader.streamHeads(streams),
    streams: async (query) => names.list(query, await reader.head()),
    readStream: (query) => reader.readStream(query),
    readAll: (query) => reader.readAll(query),
    rawAll: (query) => reader.rawAll(query),
    tail: (after, onEvents, onFailure) => tails.add(startTail(source, after, onEvents, onFailure)),
    async close() {
      await appender.close();
      await Promise.all([names.stop(), tails.stop()]);
      await closeConnections();
    },
  };
};
