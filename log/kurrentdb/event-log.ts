/** The event log in KurrentDB (EventStoreDB), shared by any number of nodes. */

import { either } from 'fp-ts';
import type { Clock } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { AppendingConnection } from '../../stores/kurrentdb/appending-connection.ts';
import type { Patience } from '../../stores/kurrentdb/connection.ts';
import { ReadingConnection } from '../../stores/kurrentdb/reading-connection.ts';
import type { EventLog } from '../port.ts';
import { OpenTails } from '../tail.ts';
import { Appender } from './appender.ts';
import { Attempts } from './attempts.ts';
import { toStored } from './events.ts';
import { ForeignEvents, type ForeignOptions } from './foreign.ts';
import { Names } from './names.ts';
import { Notes } from './notes.ts';
import { Reader, toChecked } from './reader.ts';
import { startTail } from './tail.ts';

export interface KurrentEventLogOptions extends ForeignOptions {
  /**
   * `esdb://[user:password@]host:port[,host:port]?tls=...`; `esdb+discover://` for a cluster; `kurrentdb` for `esdb`
   */
  readonly url: string;
  /** Called after every commit of this node with the number of events made durable. */
  readonly onCommit?: (events: number) => void;
  readonly patience?: Patience;
  /** Most bytes of data in one append. Not more than the server takes. Default 1 MiB, which all do. */
  readonly maxAppendBytes?: number;
  readonly clock: Clock;
}

/** @throws when the server cannot be reached, does not let this user read all events, or holds a newer Parley's log. */
export const openKurrentEventLog = async (options: KurrentEventLogOptions): Promise<EventLog> => {
  const { url, onCommit = () => {}, patience = BUDGETS.kurrentdb, clock } = options;
  const { maxAppendBytes = BUDGETS.kurrentdb.serverAppendBytes } = options;
  const { silenceMs, triedMs } = patience;
  const readingConnection = new ReadingConnection(url, silenceMs, clock);
  const connection = new AppendingConnection(url, patience.answerMs, clock);
  const foreign = new ForeignEvents(options);
  const reader = new Reader(readingConnection, foreign);
  const attempts = new Attempts(connection, reader, clock);
  const notes = new Notes(attempts, reader, triedMs, clock);
  const closeConnections = (): void => {
    connection.close();
    readingConnection.close();
  };
  const begin = async (): Promise<string> => {
    // Only some users may read all events: fail now rather than later.
    await reader.head.ask();
    return notes.epoch();
  };
  let epoch = await begin().catch((error: unknown) => {
    closeConnections();
    throw error;
  });
  const trouble = () => connection.trouble;
  const appender = new Appender(attempts, { triedMs, maxAppendBytes, clock, onCommitted: onCommit, trouble });
  const { head, places, reading } = reader;
  const source = { connection: readingConnection, reading, places, head, foreign };
  const names = new Names(source);
  const tails = new OpenTails();

  return {
    get epoch() {
      return epoch;
    },
    maxAppendBytes,
    async append(request) {
      const answer = await appender.append(request);
      if (either.isRight(answer)) reader.acknowledge(answer.right);
      return answer;
    },
    async renewEpoch() {
      epoch = await notes.renew();
    },
    head: () => head.ask(),
    streamHead: (stream) => reader.streamHead(stream),
    streamHeads: (streams) => reader.streamHeads(streams),
    streams: async (query) => names.list(query, await head.ask()),
    readStream: (query) => reader.readStream(query),
    readAll: (query) => reader.readAll(query),
    rawAll: (query) => reader.rawAll(query),
    tail: (after, onEvents, onFailure) => tails.add(startTail(source, after, toChecked, onEvents, onFailure)),
    rawTail: (after, onEvents, onFailure) => tails.add(startTail(source, after, toStored, onEvents, onFailure)),
    async close() {
      await appender.close();
      await Promise.all([names.stop(), tails.stop()]);
      closeConnections();
    },
  };
};
