/** The read side as the other folders see it. */
import type { ParleyEvent } from '../schemas/events/index.ts';
import type { AudienceReader } from './audience/port.ts';
import type { GuildReader } from './guild-views/port.ts';
import type { SnapshotReader } from './snapshots/port.ts';
import type { TimelineReader } from './timelines/port.ts';
import type { UnreadReader } from './unread/port.ts';

/** Told of every batch after the views hold it; the views do not move on until the promise resolves. */
export type BatchListener = (events: readonly ParleyEvent[], through: number) => Promise<void>;

export interface Views {
  readonly timelines: TimelineReader;
  readonly guilds: GuildReader;
  readonly unread: UnreadReader;
  readonly audiences: AudienceReader;
  readonly snapshots: SnapshotReader;
  /** Position through which every view holds every event. */
  checkpoint(): number;
  /** True once the views hold `position`; false when that took longer than `timeoutMs`. */
  whenProcessed(position: number, timeoutMs: number): Promise<boolean>;
  /**
   * Runs `read` while the views and the listeners stand still at one checkpoint, so that what it reads and what it
   * registers belong to the same position. It must be short.
   */
  atRest<T>(read: (checkpoint: number) => Promise<T>): Promise<T>;
}
