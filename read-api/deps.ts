/** What the read routes are given. */
import type { LogReader } from '../log/port.ts';
import type { Access } from '../projections/access.ts';
import type { ViewName, Views } from '../projections/port.ts';
import type { Presenter } from '../projections/presenter/index.ts';
import type { RouteRequest } from '../schemas/http/route.ts';

export interface ReadDeps {
  readonly views: Pick<Views, 'timelines' | 'guilds' | 'unread'>;
  readonly log: Pick<LogReader, 'readStream'>;
  readonly presenter: Pick<
    Presenter,
    'user' | 'users' | 'member' | 'members' | 'channel' | 'guild' | 'messages' | 'invite'
  >;
  readonly access: Pick<Access, 'guild' | 'channel' | 'visibleChannels'>;
  /** Where the asker finds the socket. */
  gatewayUrl(request: Pick<RouteRequest<unknown, unknown, unknown>, 'headers'>): string;
  /** True once these views hold everything this user was told is done; false when that took too long. */
  ownWrites(userId: string, reads: readonly ViewName[]): Promise<boolean>;
  /** Milliseconds since 1970. */
  now(): number;
}
