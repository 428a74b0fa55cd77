/** The read side as the other folders see it. */
import type { ParleyEvent } from '../schemas/events/index.ts';
import type { AudienceReader } from './audience/port.ts';
import type { GuildReader } from './guild-views/port.ts';
import type { SnapshotReader } from './snapshots/port.ts';
import type { TimelineReader } from './timelines/port.ts';
import type { UnreadReader } from './unread/port.ts';

/** Told of every batch after the views hold it; the views do not move on until the promise resolves. */
export type BatchListener = (events: readonly ParleyEvent[], through: number) => Promise<void>;

/** Stores that move on by themselves in a cluster; in the embedded profile they are one. */
export type ViewName = 'guild-views' | 'timelines' | 'unread';

export interface Progress {
  /** Position through which every event is held. */
  checkpoint(): number;
  /** True once `position` is held; false when that took longer than `timeoutMs`. */
  whenProcessed(position: number, timeoutMs: number): Promise<boolean>;
}

export interface Views extends Progress {
  readonly timelines: TimelineReader;
  readonly guilds: GuildReader;
  readonly unread: UnreadReader;
  readonly audiences: AudienceReader;
  readonly snapshots: SnapshotReader;
  /** Of one view alone: who reads only guilds does not wait for timelines. */
  progress(view: ViewName): Progress;
  /**
   * Runs `read` while the views and the listeners stand still at one checkpoint, so that what it reads and what it
   * registers belong to the same position. It must be short.
   */
  atRest<T>(read: (checkpoint: number) => Promise<T>): Promise<T>;
}
