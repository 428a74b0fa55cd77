/** The event log in KurrentDB (EventStoreDB), shared by any number of nodes. */
import { OpenTails } from '../open-tails.ts';
import type { EventLog } from '../port.ts';
import { Appender } from './appender.ts';
import { AppendingConnection } from './appending-connection.ts';
import { connectTo, PATIENCE, type Patience } from './connection.ts';
import { Names } from './names.ts';
import { Notes } from './notes.ts';
import { Reader } from './reader.ts';
import { startTail } from './tail.ts';

export interface KurrentEventLogOptions {
  /** `esdb://[user:password@]host:port[,host:port]?tls=...`; `esdb+discover://` for a cluster's name; `kurrentdb` for `esdb` */
  readonly url: string;
  /** Told of every commit of this node: how many events it made durable. */
  readonly onCommit?: (events: number) => void;
  readonly patience?: Patience;
}

/** @throws when the server cannot be reached, does not let this user read everything, or holds the log of a newer Parley. */
export const openKurrentEventLog = async (options: KurrentEventLogOptions): Promise<EventLog> => {
  const { url, onCommit = () => {}, patience = PATIENCE } = options;
  const { silenceMs } = patience;
  const client = connectTo(url);
  const connection = new AppendingConnection(url, patience.answerMs);
  const reader = new Reader(client, silenceMs);
  const notes = new Notes(connection, reader);
  const closeConnections = () => Promise.all([client.dispose(), connection.close()]);
  const begin = async (): Promise<string> => {
    // Only some users may read everything: better known now.
    await reader.head();
    return notes.epoch();
  };
  let epoch = await begin().catch(async (error: unknown) => {
    await closeConnections();
    throw error;
  });
  const appender = new Appender(connection, reader, patience.triedMs, onCommit);
  const source = { client, reading: reader.reading, silenceMs };
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
