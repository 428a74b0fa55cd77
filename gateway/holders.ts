/**
 * Which socket has each session: one at a time. A resume takes its session over, so resuming again and again leaves one
 * socket, and a client that lost its connection gets nothing twice.
 */

import { randomBytes } from 'node:crypto';
import type { Takeover } from '../coordination/port.ts';
import type { Feed } from './ports.ts';
import { Closings, type Session } from './session.ts';

const ID_BYTES = 9;

const randomId = (): string => randomBytes(ID_BYTES).toString('base64url');

/**
 * Knows the sockets of this process. The gateways of a cluster tell each other of takeovers, and all hear them in one
 * order: a socket has lost its session when another's takeover comes after its own. Where that is lost, a socket that
 * nobody uses any more ends when it no longer beats.
 */
export class Holders {
  private readonly sockets = new Map<string, Session>();

  /** Begins a session on this socket. @returns its id */
  begin(session: Session): string {
    const id = randomId();
    this.take(id, session);
    session.claimed = true;
    return id;
  }

  /** The session goes on on this socket. The one that had it is closed. */
  take(id: string, session: Session): void {
    this.letGo(session);
    const former = this.sockets.get(id);
    this.sockets.set(id, session);
    session.id = id;
    former?.close(Closings.takenOver);
  }

  /** Tells every gateway that this socket has taken its session over. */
  tell(session: Session, feed: Pick<Feed, 'takeover'>): void {
    session.claim = randomId();
    feed.takeover({ userId: session.userId, sessionId: session.id, claim: session.claim });
  }

  /** A socket has taken a session over, one of this process or of another. */
  heard({ sessionId, claim }: Takeover): void {
    const holder = this.sockets.get(sessionId);
    if (holder === undefined) return;
    if (holder.claim === claim) holder.claimed = true;
    else if (holder.claimed) holder.close(Closings.takenOver);
  }

  letGo(session: Session): void {
    if (this.sockets.get(session.id) === session) this.sockets.delete(session.id);
    session.id = '';
    session.claim = '';
    session.claimed = false;
  }
}
