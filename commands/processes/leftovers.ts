/**
 * In a cluster the node that takes a command starts at once what must follow it. This finishes what a node left undone
 * when it died: one process at a time looks through the log, a moment behind, so that it does not race with the living.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { LogReader } from '../../log/port.ts';
import { CAUSES, type Processes } from './index.ts';

/** Age at which a cause counts as left undone. Answers wait for their processes longer, so a client's retry finds it done. */
const LEFT_MS = 2000;
const LOOK_MS = 500;
const PAGE = 1000;
const NAME = 'processes';

export interface Checkpoints {
  /** 0 for a name never written. */
  read(name: string): Promise<number>;
  /** Never moves back. */
  write(name: string, position: number): Promise<void>;
}

export interface LeftoversOptions {
  readonly log: LogReader;
  readonly processes: Pick<Processes, 'finish'>;
  readonly checkpoints: Checkpoints;
  readonly logger: { warn(fields: object, message: string): void };
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class Leftovers {
  private readonly options: LeftoversOptions;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(options: LeftoversOptions) {
    this.options = options;
  }

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { checkpoints, logger } = this.options;
    const { signal } = this.stopping;
    let through: number | undefined;
    while (!signal.aborted) {
      try {
        through ??= await checkpoints.read(NAME);
        const next = await this.look(through);
        if (next > through) await checkpoints.write(NAME, next);
        through = next;
      } catch (error) {
        // Log or vault are gone: what is left undone stays so until they are back.
        if (!signal.aborted) logger.warn({ err: error }, 'what must follow could not be looked through');
      }
      await delay(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** @returns position through which everything has followed. */
  private async look(after: number): Promise<number> {
    const { log, processes, now } = this.options;
    const { events, through } = await log.readAll({ after, types: CAUSES, limit: PAGE });
    const left = now() - LEFT_MS;
    const young = events.findIndex((event) => event.time > left);
    await processes.finish(young < 0 ? events : events.slice(0, young));
    return young < 0 ? through : events[young]!.position - 1;
  }
}
