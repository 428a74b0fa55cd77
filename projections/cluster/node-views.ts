/** A cluster node's read side: views that advance on their own, combined into one `Views`. */

import type { Clock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { SwitchedView } from '../engine/generations.ts';
import type { BatchListener, Progress } from '../engine/port.ts';
import { PositionWaiters } from '../engine/progress/port.ts';
import type { Read, Readers, Views } from '../port.ts';
import type { RecentGuildChanges } from '../views/guild-views/recent.ts';
import type { UnreadReader } from '../views/unread/view.ts';
import type { Lateness } from './lateness.ts';

/** What this process has received of the log: passes batches to listeners and keeps the position reached. */
export class Delivered implements Progress {
  private readonly listeners: BatchListener[] = [];
  private readonly waiting: PositionWaiters;
  private position = 0;

  constructor(clock: Clock) {
    this.waiting = new PositionWaiters(clock);
  }

  /** Listeners are called in registration order, one after another. */
  onBatch(listener: BatchListener): void {
    this.listeners.push(listener);
  }

  readonly take: BatchListener = async (events: readonly ParleyEvent[], through: number) => {
    for (const listener of this.listeners) await listener(events, through);
    this.moveTo(through);
  };

  /** Marks everything up to `position` as received, or as nothing this process has to receive. */
  moveTo(position: number): void {
    this.position = Math.max(this.position, position);
    this.waiting.reached(this.position);
  }

  checkpoint(): number {
    return this.position;
  }

  async whenProcessed(position: number, timeoutMs: number): Promise<boolean> {
    return this.position >= position || this.waiting.until(position, timeoutMs);
  }
}

interface GuildProgressParts {
  readonly view: Progress;
  readonly lateness: Lateness;
  readonly recent: Pick<RecentGuildChanges, 'complete'>;
  readonly delivered: Progress;
}

/** Resolves to true with the first that does, or to false once all have. */
const any = (outcomes: readonly Promise<boolean>[]): Promise<boolean> =>
  new Promise((resolve, reject) => {
    for (const outcome of outcomes) outcome.then((ok) => ok && resolve(true), reject);
    Promise.all(outcomes).then((all) => resolve(all.includes(true)), reject);
  });

/**
 * The progress of the guild views and the pins together with the changes to them that this process has received: their
 * readers answer with both.
 */
export const guildProgress = ({ view, lateness, recent, delivered }: GuildProgressParts): Progress => ({
  checkpoint: () => view.checkpoint(),
  async whenProcessed(position, timeoutMs) {
    if (recent.complete && delivered.checkpoint() >= position) return true;
    const received = delivered.whenProcessed(position, timeoutMs).then((reached) => reached && recent.complete);
    return (await any([received, lateness.heldInTime(position, timeoutMs)])) || view.checkpoint() >= position;
  },
});

/**
 * The progress of the guild views as every node knows it: another node may not have received yet what this one has. While
 * the views are late nobody waits for them, and what this node has received must do.
 */
export const sharedGuildProgress = ({ view, lateness, recent, delivered }: GuildProgressParts): Progress => ({
  checkpoint: () => view.checkpoint(),
  async whenProcessed(position, timeoutMs) {
    if (await lateness.heldInTime(position, timeoutMs)) return true;
    if (!lateness.late) return view.checkpoint() >= position;
    return recent.complete && (await delivered.whenProcessed(position, timeoutMs));
  },
});

const LOOK_MS = 100;

/** The progress of rows that are stored with the checkpoints, which is later than a view counts as holding a position. */
export const storedProgress = (
  view: Pick<SwitchedView<unknown>, 'progress' | 'stored'>,
  clock: Pick<Clock, 'monotonic' | 'delay'>,
): Progress => ({
  checkpoint: () => view.progress.checkpoint(),
  async whenProcessed(position, timeoutMs) {
    for (const until = clock.monotonic() + timeoutMs; (await view.stored()) < position; await clock.delay(LOOK_MS))
      if (clock.monotonic() >= until) return false;
    return true;
  },
});

/** Several views as one: it holds a position once each of them does. */
export const together = (parts: readonly Progress[]): Progress => ({
  checkpoint: () => Math.min(...parts.map((part) => part.checkpoint())),
  whenProcessed: async (position, timeoutMs) => {
    const reached = await Promise.all(parts.map((part) => part.whenProcessed(position, timeoutMs)));
    return !reached.includes(false);
  },
});

interface ViewsParts {
  readonly readers: Readers;
  readonly progress: Readonly<Record<Read | 'stream-heads', Progress>>;
  /** What the combined `checkpoint` and `whenProcessed` report. */
  readonly whole: Progress;
  readonly atRest: Views['atRest'];
}

export const viewsOf = ({ readers, progress, whole, atRest }: ViewsParts): Views => ({
  ...readers,
  progress: (view) => progress[view],
  checkpoint: () => whole.checkpoint(),
  whenProcessed: (position, timeoutMs) => whole.whenProcessed(position, timeoutMs),
  atRest,
});

/**
 * A reader of the SQL views that answers once they hold a position. All its methods are questions.
 * @throws StoreUnavailable when that takes too long
 */
export const onceHeld = <Reader extends object>(
  reader: Reader,
  guildViews: Progress,
  position: number,
  timeoutMs: number,
): Reader => {
  let held: Promise<boolean> | undefined;
  return new Proxy(reader, {
    get:
      (target, name) =>
      async (...query: unknown[]): Promise<unknown> => {
        held ??= guildViews.whenProcessed(position, timeoutMs);
        if (!(await held)) throw new StoreUnavailable('guild-views', 1);
        return (target[name as keyof Reader] as (...query: unknown[]) => Promise<unknown>).apply(target, query);
      },
  });
};

/**
 * Takes heads from the unread store once it holds a position. If that takes too long, takes them from the log, which
 * always holds it.
 */
export const unreadOnceHeld = (
  { store, log, progress }: { readonly store: UnreadReader; readonly log: UnreadReader; readonly progress: Progress },
  position: number,
  timeoutMs: number,
): UnreadReader => {
  let chosen: Promise<UnreadReader> | undefined;
  const reader = (): Promise<UnreadReader> => {
    chosen ??= progress.whenProcessed(position, timeoutMs).then((held) => (held ? store : log));
    return chosen;
  };
  return {
    head: async (channelId) => (await reader()).head(channelId),
    heads: async (channelIds) => (await reader()).heads(channelIds),
    readStates: async (userId, channelIds, rolesIn) => (await reader()).readStates(userId, channelIds, rolesIn),
  };
};
