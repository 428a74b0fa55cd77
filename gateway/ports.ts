/** The ports that the gateway is built on. */

import type { CommandBus } from '../commands/port.ts';
import type { SessionRegistry, Takeover } from '../coordination/port.ts';
import type { LogReader } from '../log/port.ts';
import type { Presenter } from '../presenter/presenter.ts';
import type { Views } from '../projections/port.ts';
import type { Access } from '../projections/views/guild-views/access.ts';
import type { Clock } from '../schemas/clock.ts';
import type { Audience } from '../schemas/streams.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Spans } from '../telemetry/spans.ts';
import type { Tokens } from '../vault/port.ts';
import type { GatewayConfig } from './config.ts';

/** How a resume ended. */
export type ResumeOutcome = 'ring' | 'log' | 'invalid' | 'too-many' | 'unreadable' | 'aborted';

export interface GatewayMetrics {
  /** A socket was taken over (1) or is gone (-1), identified or not. */
  sockets(change: 1 | -1): void;
  /** Identified sessions began (1) or ended (-1). */
  sessions(change: 1 | -1): void;
  /** Dispatches handed to sockets. */
  dispatches(count: number): void;
  /** Bytes handed to sockets. */
  bytes(count: number): void;
  resumes(outcome: ResumeOutcome): void;
  /** The server closes a socket. */
  closes(code: number): void;
  /** A command is refused with the catalogue's error of this name. */
  refusals(error: string): void;
  /** A command (op 100) is answered, this long after it arrived. `failed`: the server is at fault. */
  commands(outcome: 'done' | 'refused' | 'failed', ms: number): void;
}

export type GatewayPresenter = Pick<
  Presenter,
  | 'self'
  | 'user'
  | 'member'
  | 'memberAs'
  | 'changed'
  | 'members'
  | 'guild'
  | 'channel'
  | 'guildCreate'
  | 'messages'
  | 'posted'
  | 'edited'
  | 'invite'
  | 'relationships'
  | 'auditEntriesOf'
  | 'reports'
  | 'ownReports'
>;

/** The cluster's delivery feed. Only audiences that are listened to arrive, and the views advance independently. */
export interface Feed {
  /**
   * Resolves when no event of these audiences after the delivered position can be missed any more. Calls are counted.
   */
  listen(audiences: readonly Audience[]): Promise<void>;
  leave(audiences: readonly Audience[]): void;
  /** Tells every gateway that listens to the person, this one too, and all of them in one order. It may be lost. */
  takeover(takeover: Takeover): void;
  /**
   * Guilds as of a position, and pins and heads that are at least as new. Reads wait until the views hold the position.
   * @throws StoreUnavailable when that takes too long
   */
  viewsAt(position: number): Pick<Views, 'guilds' | 'pins' | 'unread'>;
}

/** How a limit stands after something was counted. */
interface Counted {
  readonly allowed: boolean;
  /** Seconds. */
  readonly resetAfter: number;
}

export interface GatewayDeps {
  readonly log: LogReader;
  readonly views: Views;
  readonly presenter: GatewayPresenter;
  readonly access: Pick<Access, 'visibleChannels' | 'visibleThreads'>;
  readonly tokens: Tokens;
  /** Counts a session that a user begins. @returns false when they may begin no more now */
  mayBegin(userId: string): Promise<boolean>;
  /** Counts a list of members that a user asks for. @returns `resetAfter` in seconds; `undefined` where nothing is limited */
  listsMembers(userId: string, guildId: string): Promise<Counted | undefined>;
  readonly bus: CommandBus;
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  /** Absent where every event arrives and the views stand still on request. */
  readonly feed?: Feed;
  /** Informed of who is connected to this gateway. */
  readonly registry: SessionRegistry;
  /** Absent where nothing is traced. */
  readonly spans?: Spans | undefined;
}
