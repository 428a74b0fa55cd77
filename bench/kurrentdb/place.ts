/** A KurrentDB server to measure: the one that a URL names, or the stand-in in a process of its own. */

import { EventStoreDBClient } from '@eventstore/db-client';
import { openKurrentEventLog } from '../../log/kurrentdb/event-log.ts';
import type { EventLog } from '../../log/port.ts';
import { systemClock } from '../../schemas/clock.ts';
import { connectionStringOf } from '../../stores/kurrentdb/connection.ts';
import type { KurrentStandIn } from '../children/kurrentdb.ts';
import { type Remote, startChild } from '../support/child.ts';

export interface Place {
  readonly log: EventLog;
  /** The client that the log uses, without the log. */
  readonly bare: EventStoreDBClient;
  /** `undefined` for a real server. */
  readonly standIn: Remote<KurrentStandIn> | undefined;
}

const withLog = async <T>(url: string, standIn: Place['standIn'], work: (place: Place) => Promise<T>): Promise<T> => {
  const log = await openKurrentEventLog({ clock: systemClock, url });
  const bare = EventStoreDBClient.connectionString(connectionStringOf(url));
  try {
    return await work({ log, bare, standIn });
  } finally {
    await log.close();
    await bare.dispose();
  }
};

/** @param url of a real server, which keeps what is stored there; without it, the stand-in is started */
export const withPlace = async <T>(url: string | undefined, work: (place: Place) => Promise<T>): Promise<T> => {
  if (url !== undefined) return withLog(url, undefined, work);
  const child = await startChild<KurrentStandIn>('kurrentdb');
  try {
    return await withLog(await child.call.start(null), child.call, work);
  } finally {
    await child.stop();
  }
};
