/** How a session's snapshot and its subscriptions come to belong to one position, so that nothing falls between them. */
import { type Audience, channelAudience, userAudience } from '../schemas/streams.ts';
import type { Feed } from './config.ts';
import { audiencesOfGuild, depsAt, joinAll, readScope, type Scope, type ScopeDeps } from './scope.ts';
import { Phase, type Session } from './session.ts';
import type { Parts } from './starting.ts';

/** What a session may see at a position, and the readers that answer as of it. */
export interface Beginning {
  readonly position: number;
  readonly scope: Scope;
  readonly deps: ScopeDeps;
}

/**
 * From the position it hands to `read` on, live dispatches are the session's, but wait.
 * Without effect on a session that was closed meanwhile.
 */
export const begin = <T>(parts: Parts, session: Session, read: (at: Beginning) => Promise<T>): Promise<T> => {
  const { deps } = parts;
  return deps.feed === undefined
    ? deps.views.atRest(async (position) => {
        const scope = await readScope(deps, session);
        const value = await read({ position, scope, deps });
        register(parts, session, scope);
        return value;
      })
    : beginOnFeed(parts, session, deps.feed, read);
};

/** To be called while delivery stands still. */
const register = (parts: Parts, session: Session, scope: Scope): void => {
  if (session.phase !== Phase.starting) return;
  joinAll(parts.subscriptions, session, scope);
  session.phase = Phase.holding;
};

const audiencesOf = ({ userId }: Session, { guilds, directChannels }: Scope): Audience[] => [
  userAudience(userId),
  ...guilds.flatMap(audiencesOfGuild),
  ...directChannels.map((channel) => channelAudience(channel.id)),
];

const same = (some: readonly Audience[], others: readonly Audience[]): boolean =>
  some.length === others.length && new Set([...some, ...others]).size === some.length;

/**
 * Delivery to everybody else does not wait for one session's reading: the session is registered at a position in one
 * step, and its snapshot is read as of that position afterwards. Should what it may see have changed in between, it
 * begins again.
 */
const beginOnFeed = async <T>(
  parts: Parts,
  session: Session,
  feed: Feed,
  read: (at: Beginning) => Promise<T>,
): Promise<T> => {
  const { views } = parts.deps;
  for (;;) {
    const expected = await readScope(depsAt(parts.deps, views.checkpoint()), session);
    const wanted = audiencesOf(session, expected);
    await feed.listen(wanted);
    try {
      const position = await views.atRest(async (at) => {
        register(parts, session, expected);
        return at;
      });
      const deps = depsAt(parts.deps, position);
      const scope = await readScope(deps, session);
      if (session.phase === Phase.closed || same(wanted, audiencesOf(session, scope)))
        return await read({ position, scope, deps });
      parts.subscriptions.leaveAll(session);
      session.beginAgain();
    } finally {
      feed.leave(wanted);
    }
  }
};
