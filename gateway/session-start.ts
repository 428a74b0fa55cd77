/**
 * What identify and resume share: recognising the user, waiting for the views, holding back and releasing live
 * dispatches.
 */

import type { EventRenderer } from '../presenter/dispatches.ts';
import { isSignedIn } from '../projections/views/guild-views/access.ts';
import type { FairQueue } from '../schemas/fair-queue.ts';
import { DEFAULT_INTENTS, Intent } from '../schemas/gateway/frames.ts';
import { type Audience, channelAudience, userAudience } from '../schemas/streams.ts';
import type { Verified } from '../vault/port.ts';
import { INVALID_SESSION } from './encoding.ts';
import type { FanOut } from './fan-out.ts';
import { type Outgoing, wireLength } from './frame-bytes.ts';
import type { Holders } from './holders.ts';
import type { Outbox } from './outbox.ts';
import type { Feed, GatewayDeps } from './ports.ts';
import type { Ring } from './ring.ts';
import { audiencesOfGuild, depsAt, joinAll, readScope, type Scope, type ScopeDeps } from './scope.ts';
import { Closings, Phase, type Session } from './session.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface Parts {
  readonly deps: GatewayDeps;
  readonly renderer: EventRenderer;
  readonly subscriptions: Subscriptions;
  readonly outbox: Outbox;
  readonly ring: Ring;
  readonly delivery: FanOut;
  readonly holders: Holders;
  /** Resumes under way. */
  readonly resumes: FairQueue;
  /** Their reads of the log. */
  readonly logReads: FairQueue;
}

/** @returns false if the views do not know the token's user, or that user has signed out. */
export const recognise = async (parts: Parts, session: Session, verified: Verified): Promise<boolean> => {
  const { guilds } = parts.deps.views;
  const [user, administrators] = await Promise.all([guilds.user(verified.userId), guilds.administrators()]);
  if (user === undefined || !isSignedIn(user, verified)) return false;
  session.userId = user.id;
  session.isBot = user.kind === 'bot';
  session.administers = administrators.includes(user.id);
  session.generation = verified.generation ?? user.signedOut.generation;
  session.signIn = verified.signIn;
  return true;
};

export const wants = (session: Session, intents: number | undefined): void => {
  session.intents = intents ?? DEFAULT_INTENTS;
  session.readsContent = !session.isBot || (session.intents & Intent.messageContent) !== 0;
};

/** Op 9: the client has to identify, and may do so on this socket. */
export const invalidate = (parts: Parts, session: Session): void => {
  if (session.phase === Phase.closed) return;
  parts.subscriptions.leaveAll(session);
  parts.holders.letGo(session);
  session.startOver();
  parts.outbox.writeNow(session, INVALID_SESSION);
};

/**
 * A session sees at least what was in the log when it asked, including its user's latest acknowledged writes.
 * @returns the log's head, or `undefined` when the views are too far behind it.
 */
export const viewsAtHead = async ({ deps }: Parts): Promise<number | undefined> => {
  const head = await deps.log.head();
  return (await deps.views.whenProcessed(head, deps.config.viewsTimeoutMs)) ? head : undefined;
};

/** Bytes written before the socket's backlog is checked and other work gets a turn. */
export const PACE = 65_536;

/** Writes what precedes the live dispatches: in order, in few writes, and no faster than the socket takes it. */
export class PacedWriter {
  private readonly parts: Parts;
  private readonly session: Session;
  private batch: Outgoing[] = [];
  private bytes = 0;

  constructor(parts: Parts, session: Session) {
    this.parts = parts;
    this.session = session;
  }

  async add(outgoing: Outgoing): Promise<void> {
    this.batch.push(outgoing);
    this.bytes += wireLength(outgoing);
    if (this.bytes < PACE) return;
    this.end();
    await this.parts.outbox.room(this.session);
  }

  /** Writes the rest. */
  end(): void {
    if (this.batch.length > 0) this.parts.outbox.writeOnce(this.session, this.batch, this.bytes);
    this.batch = [];
    this.bytes = 0;
  }
}

// A session's snapshot and its subscriptions belong to one position, so nothing is missed between them.

/** What a session may see at a position, and the readers as of it. */
export interface Beginning {
  readonly position: number;
  readonly scope: Scope;
  readonly deps: ScopeDeps;
}

/**
 * From the position given to `read` on, the session's live dispatches are held back for it.
 * Has no effect on a session that was closed meanwhile.
 */
export const begin = <T>(parts: Parts, session: Session, read: (at: Beginning) => Promise<T>): Promise<T> => {
  const { deps } = parts;
  // Whoever signs out later is told as a listener.
  const checked = async (at: Beginning): Promise<T> => {
    const user = await at.deps.views.guilds.user(session.userId);
    if (user === undefined || !isSignedIn(user, session)) session.drop(Closings.signedOut);
    return read(at);
  };
  return deps.feed === undefined
    ? deps.views.atRest(async (position) => {
        const scope = await readScope(deps, session);
        const value = await checked({ position, scope, deps });
        register(parts, session, scope, position);
        return value;
      })
    : beginOnFeed(parts, session, deps.feed, checked);
};

/**
 * Call this only while delivery stands still.
 * @param position through which the session is sent everything before its live dispatches
 */
const register = (parts: Parts, session: Session, scope: Scope, position: number): void => {
  if (session.phase !== Phase.starting) return;
  joinAll(parts.subscriptions, session, scope);
  // What is held back follows all of that, so none of it may carry an earlier `s`.
  session.s = position;
  session.missedFrom = undefined;
  session.phase = Phase.holding;
};

/** Whoever has other roles has other rights, whether they see other channels or not; so has whoever is timed out. */
const rightsIn = ({ guilds }: Scope): string =>
  JSON.stringify(guilds.map(({ member: { roles, timedOutUntil } }) => [roles, timedOutUntil]));

const audiencesOf = ({ userId }: Session, { guilds, directChannels }: Scope): Audience[] => [
  userAudience(userId),
  ...guilds.flatMap(audiencesOfGuild),
  ...directChannels.map((channel) => channelAudience(channel.id)),
];

const same = (some: readonly Audience[], others: readonly Audience[]): boolean =>
  some.length === others.length && new Set([...some, ...others]).size === some.length;

/**
 * Delivery to other sessions does not wait for this session's reads: it is registered at a position in one step, and
 * its snapshot is read as of that position afterwards. If the set of audiences it may see has changed in between, it
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
    // As of what this process has received, which the views may be far behind: a scope of theirs would never fit.
    const received = await views.atRest(async (at) => at);
    const expected = await readScope(depsAt(parts.deps, received), session);
    const wanted = audiencesOf(session, expected);
    await feed.listen(wanted);
    try {
      const position = await views.atRest(async (at) => {
        register(parts, session, expected, at);
        return at;
      });
      const deps = depsAt(parts.deps, position);
      const scope = await readScope(deps, session);
      const isSame = same(wanted, audiencesOf(session, scope)) && rightsIn(expected) === rightsIn(scope);
      if (session.phase === Phase.closed || isSame) return await read({ position, scope, deps });
      parts.subscriptions.leaveAll(session);
      session.beginAgain();
    } finally {
      feed.leave(wanted);
    }
  }
};
