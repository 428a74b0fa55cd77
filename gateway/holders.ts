/**
 * Which socket has each session: one at a time. A resume takes its session over, so resuming again and again leaves one
 * socket, and a client that lost its connection gets nothing twice.
 */

import { randomBytes } from 'node:crypto';
import { Closings, type Session } from './session.ts';

const ID_BYTES = 9;

/** Knows the sockets of this process. A socket that another process holds ends by itself, when it no longer beats. */
export class Holders {
  private readonly sockets = new Map<string, Session>();

  /** Begins a session on this socket. @returns its id */
  begin(session: Session): string {
    const id = randomBytes(ID_BYTES).toString('base64url');
    this.take(id, session);
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

  letGo(session: Session): void {
    if (this.sockets.get(session.id) === session) this.sockets.delete(session.id);
    session.id = '';
  }
}
