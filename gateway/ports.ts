/** What the gateway is made of and the numbers it keeps to. */

import type { CommandBus } from '../commands/port.ts';
import type { SessionRegistry } from '../coordination/port.ts';
import type { LogReader } from '../log/port.ts';
import type { Presenter } from '../presenter/presenter.ts';
import type { Views } from '../projections/port.ts';
import type { Access } from '../projections/views/guild-views/access.ts';
import type { Clock } from '../schemas/clock.ts';
import type { Audience } from '../schemas/streams.ts';
import type { GatewayLogger } from '../telemetry/logger.ts';
import type { Spans } from '../telemetry/spans.ts';
import type { Tokens } from '../vault/port.ts';
import type { GatewayConfig } from './config.ts';

/** How a resume ended. */
export type ResumeOutcome = 'ring' | 'log' | 'invalid' | 'too-many' | 'aborted';

export interface GatewayMetrics {
  /** A socket was taken over (1) or is gone (-1), identified or not. */
  sockets(change: 1 | -1): void;
  /** Identified sessions came (1) or went (-1). */
  sessions(change: 1 | -1): void;
  /** Dispatches handed to sockets. */
  dispatches(count: number): void;
  /** Bytes handed to sockets. */
  bytes(count: number): void;
  resumes(outcome: ResumeOutcome): void;
  /** The server closes a socket. */
  closes(code: number): void;
  /** A command is refused, for the reason the error catalogue names so. */
  refusals(error: string): void;
}

export type GatewayPresenter = Pick<
  Presenter,
  'user' | 'member' | 'guild' | 'channel' | 'guildCreate' | 'messages' | 'posted' | 'edited' | 'invite'
>;

/** In a cluster only what is listened to arrives, and the views move on by themselves. */
export interface Feed {
  /** Resolves when nothing of these audiences beyond the position delivered through can be missed. Counted. */
  listen(audiences: readonly Audience[]): Promise<void>;
  leave(audiences: readonly Audience[]): void;
  /**
   * Guilds as they were at a position, and heads that are not older: what is read waits until the views hold it.
   * @throws StoreUnavailable when that takes too long
   */
  viewsAt(position: number): Pick<Views, 'guilds' | 'unread'>;
}

export interface GatewayDeps {
  readonly log: LogReader;
  readonly views: Views;
  readonly presenter: GatewayPresenter;
  readonly access: Pick<Access, 'visibleChannels'>;
  readonly tokens: Tokens;
  readonly bus: CommandBus;
  readonly config: GatewayConfig;
  readonly logger: GatewayLogger;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  /** Left out where every event arrives and the views stand still when asked to. */
  readonly feed?: Feed;
  /** Told who is connected to this gateway. */
  readonly registry: SessionRegistry;
  /** Left out where nothing is traced. */
  readonly spans?: Spans | undefined;
}
