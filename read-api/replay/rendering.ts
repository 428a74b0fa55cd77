/**
 * Opens pages of a replay on another thread. This is a third of a replay's work, and it would otherwise block the
 * thread that serves all other requests.
 */

import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type Lines, openedLines, type ReplayPage } from './lines.ts';

// What travels to the rendering thread and back.

/** Key objects can be posted inside a map. */
export interface Job {
  readonly id: number;
  readonly page: ReplayPage;
}

interface Done {
  readonly id: number;
  readonly lines: Uint8Array<ArrayBuffer>;
}

export const rendered = ({ id, page }: Job): Done => ({ id, lines: openedLines(page) });

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
 * @param file the built worker; without it, also when a later build has removed it, pages are opened on this thread
 * @returns `openedLines` on the other thread, which starts with the first page and does not keep the process alive
 */
export const renderElsewhere = (file: URL | undefined = WORKER): Render => {
  if (file === undefined) return async (page) => openedLines(page);
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
    if (worker === undefined && !existsSync(file)) return openedLines(page);
    return new Promise((resolve, reject) => {
      worker ??= start();
      jobs += 1;
      waiting.set(jobs, { resolve, reject });
      // Only an idle worker is unreferenced: the process must not end while it works.
      worker.ref();
      const job: Job = { id: jobs, page };
      worker.postMessage(job, [page.bytes.buffer, page.parts.buffer]);
    });
  };
};
