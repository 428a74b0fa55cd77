/**
 * Writes pages of a replay on another thread. This is half of a replay's work, and it would otherwise block the thread that
 * serves all other requests.
 */

import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { StoredEvent } from '../../log/port.ts';
import { type Lines, linesOf, type ReplayPage } from './lines.ts';

// What travels to the rendering thread and back.

/** The fields of all events, one after another: these travel in half the time that objects take. */
type Values = readonly (string | number | null)[];

const FIELDS = 13;

const valuesOf = (events: readonly StoredEvent[]): Values => {
  const values: (string | number | null)[] = [];
  for (const event of events) {
    values.push(event.position, event.stream, event.sequence, event.type, event.schema, event.time, event.id);
    values.push(event.actor, event.key, event.correlationId, event.causationId, event.traceparent, event.data);
  }
  return values;
};

const eventsOf = (values: Values): StoredEvent[] => {
  const events: StoredEvent[] = [];
  for (let at = 0; at < values.length; at += FIELDS)
    events.push({
      position: values[at] as number,
      stream: values[at + 1] as string,
      sequence: values[at + 2] as number,
      type: values[at + 3] as string,
      schema: values[at + 4] as number,
      time: values[at + 5] as number,
      id: values[at + 6] as string,
      actor: values[at + 7] as string,
      key: values[at + 8] as string | null,
      correlationId: values[at + 9] as string,
      causationId: values[at + 10] as string | null,
      traceparent: values[at + 11] as string | null,
      data: values[at + 12] as string,
    });
  return events;
};

/** Key objects can be posted inside a map. */
export interface Job {
  readonly id: number;
  readonly page: Omit<ReplayPage, 'events'> & { readonly events: Values };
}

interface Done {
  readonly id: number;
  readonly lines: Uint8Array<ArrayBuffer>;
}

export const rendered = ({ id, page }: Job): Done => ({
  id,
  lines: linesOf({ ...page, events: eventsOf(page.events) }),
});

type Render = (page: ReplayPage) => Promise<Lines>;

/** The name of the built worker, which the build puts in. */
declare const RENDERING_WORKER: string;

/** The built worker beside this code. Specs run unbuilt code and have no other thread. */
const WORKER = typeof RENDERING_WORKER === 'undefined' ? undefined : new URL(RENDERING_WORKER, import.meta.url);

interface Waiting {
  readonly resolve: (lines: Lines) => void;
  readonly reject: (error: Error) => void;
}

/**
 * @param file the built worker; without it, also when a later build has removed it, pages are written on this thread
 * @returns `linesOf` on the other thread, which starts with the first page and does not keep the process alive
 */
export const renderElsewhere = (file: URL | undefined = WORKER): Render => {
  if (file === undefined) return async (page) => linesOf(page);
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let jobs = 0;

  const start = (): Worker => {
    const started = new Worker(file);
    started.on('message', (done: Done) => {
      waiting.get(done.id)?.resolve(done.lines);
      waiting.delete(done.id);
      if (waiting.size === 0) started.unref();
    });
    started.on('error', (error) => {
      worker = undefined;
      for (const one of waiting.values()) one.reject(error);
      waiting.clear();
    });
    return started;
  };

  return async (page) => {
    if (worker === undefined && !existsSync(file)) return linesOf(page);
    return new Promise((resolve, reject) => {
      worker ??= start();
      jobs += 1;
      waiting.set(jobs, { resolve, reject });
      // Only an idle worker is unreferenced: the process must not end while it works.
      worker.ref();
      const job: Job = { id: jobs, page: { ...page, events: valuesOf(page.events) } };
      worker.postMessage(job);
    });
  };
};
