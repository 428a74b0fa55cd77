/** The log, asked until it answers. */
import { setTimeout as wait } from 'node:timers/promises';
import type { LogReader, Page } from '../../log/port.ts';
import { UnreadableEvent } from '../../schemas/events/index.ts';

const PAGE = 1000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

export class PatientLog {
  private readonly log: Pick<LogReader, 'readAll'>;
  private readonly stopping: AbortSignal;

  constructor(log: Pick<LogReader, 'readAll'>, stopping: AbortSignal) {
    this.log = log;
    this.stopping = stopping;
  }

  /**
   * @returns `undefined` once `stopping` is aborted
   * @throws UnreadableEvent
   */
  async pageAfter(position: number): Promise<Page | undefined> {
    for (let pause = FIRST_PAUSE_MS; !this.stopping.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        return await this.log.readAll({ after: position, limit: PAGE });
      } catch (error) {
        if (error instanceof UnreadableEvent) throw error;
        await wait(pause, undefined, { signal: this.stopping }).catch(() => {});
      }
    }
    return undefined;
  }
}
