/** The read side of a node: stores that move on by themselves, put together as `Views`. */

import { type Clock, systemClock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { BatchListener, Progress, ViewName } from '../engine/port.ts';
import { Waiting } from '../engine/progress/port.ts';
import type { Readers, Views } from '../port.ts';
import type { GuildReader } from '../views/guild-views/view.ts';
import type { UnreadReader } from '../views/unread/view.ts';

/** What this process hears: who is told of it, and how far that has got. */
export class Delivered implements Progress {
  private readonly listeners: BatchListener[] = [];
  private readonly waiting: Waiting;
  private position = 0;

  constructor(clock: Clock = systemClock) {
    this.waiting = new Waiting(clock);
  }

  /** Told in the order of registration, one after another. */
  onBatch(listener: BatchListener): void {
    this.listeners.push(listener);
  }

  readonly take: BatchListener = async (events: readonly ParleyEvent[], through: number) => {
    for (const listener of this.listeners) await listener(events, through);
    this.moveTo(through);
  };

  /** What lies at or below is nothing that would have to be heard. */
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

/** All of several: at a position when each is. */
export const together = (parts: readonly Progress[]): Progress => ({
  checkpoint: () => Math.min(...parts.map((part) => part.checkpoint())),
  whenProcessed: async (position, timeoutMs) => {
    const reached = await Promise.all(parts.map((part) => part.whenProcessed(position, timeoutMs)));
    return !reached.includes(false);
  },
});

interface ViewsParts {
  readonly readers: Readers;
  readonly progress: Readonly<Record<ViewName, Progress>>;
  /** What `checkpoint` and `whenProcessed` of the whole speak of. */
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

const GUILD_READER = {
  guild: true,
  channel: true,
  channelsOf: true,
  member: true,
  members: true,
  guildsOf: true,
  memberships: true,
  directChannelsOf: true,
  user: true,
  users: true,
  invite: true,
  administrator: true,
} satisfies Record<keyof GuildReader, true>;

/** A reader that answers once the guild views hold a position. @throws StoreUnavailable when that takes too long */
export const guildsOnceHeld = (
  reader: GuildReader,
  guildViews: Progress,
  position: number,
  timeoutMs: number,
): GuildReader => {
  let held: Promise<boolean> | undefined;
  const once =
    (name: keyof GuildReader) =>
    async (...query: unknown[]): Promise<unknown> => {
      held ??= guildViews.whenProcessed(position, timeoutMs);
      if (!(await held)) throw new StoreUnavailable('guild-views', 1);
      return (reader[name] as (...query: unknown[]) => Promise<unknown>)(...query);
    };
  return Object.fromEntries(
    Object.keys(GUILD_READER).map((name) => [name, once(name as keyof GuildReader)]),
  ) as unknown as GuildReader;
};

/** Heads from the unread store once it holds a position; where that takes too long, from the log, which always does. */
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
    readStates: async (userId, channelIds) => (await reader()).readStates(userId, channelIds),
  };
};
