/** One dispatch, encoded once, for all sessions that hear its audience. */
import { dispatchFrame, payloadOf, textFrame, withSequence } from './frames.ts';
import type { Session } from './session.ts';

/** Fields of a message that bots without the MESSAGE_CONTENT intent see empty. */
interface Readable {
  content: string;
  embeds: unknown[];
  author: { id: string };
  mentions: { id: string }[];
  referenced_message?: Readable | null;
}

const withoutText = <M extends Readable>(message: M): M => ({
  ...message,
  content: '',
  embeds: [],
  ...(message.referenced_message ? { referenced_message: withoutText(message.referenced_message) } : {}),
});

interface Veiled {
  readonly frame: Buffer;
  /** Who wrote the message or is mentioned in it, and so sees it whole. */
  readonly concerned: ReadonlySet<string>;
}

/** Made from the whole frame, and only when a bot that may not read is listening: keeping both for every event would cost twice the ring. */
const veil = (frame: Buffer): Veiled => {
  const payload = JSON.parse(payloadOf(frame)) as { d: Readable };
  const { author, mentions } = payload.d;
  return {
    frame: textFrame(JSON.stringify({ ...payload, d: withoutText(payload.d) })),
    concerned: new Set([author.id, ...mentions.map((user) => user.id)]),
  };
};

export interface DispatchParts {
  readonly t: string;
  /** Position of its event. */
  readonly position: number;
  /** Intents without which a session does not get it. */
  readonly intents: number;
  readonly d: object;
  /** A guild message's text, which not every bot may read. */
  readonly carriesText?: boolean;
  /** Narrows the audience. */
  readonly admits?: (session: Session) => boolean;
}

export class Dispatch {
  readonly position: number;
  private readonly intents: number;
  private readonly whole: Buffer;
  private readonly carriesText: boolean;
  private readonly narrowed: ((session: Session) => boolean) | undefined;
  private veiled: Veiled | undefined;

  constructor(parts: DispatchParts) {
    this.position = parts.position;
    this.intents = parts.intents;
    this.whole = dispatchFrame(parts.t, parts.position, JSON.stringify(parts.d));
    this.carriesText = parts.carriesText ?? false;
    this.narrowed = parts.admits;
  }

  get bytes(): number {
    return this.whole.length;
  }

  /** Whether the session gets it. */
  admits(session: Session): boolean {
    return (session.intents & this.intents) === this.intents && this.concerns(session);
  }

  /** Whether it is about something the session may see, asked for or not. */
  concerns(session: Session): boolean {
    return this.narrowed === undefined || this.narrowed(session);
  }

  /** The same Buffer for all who see the same. */
  frame(session: Session): Buffer {
    if (session.readsContent || !this.carriesText) return this.whole;
    this.veiled ??= veil(this.whole);
    return this.veiled.concerned.has(session.userId) ? this.whole : this.veiled.frame;
  }
}

/**
 * The frames of one event for one session. Only the last carries the event's position; before it the session has not
 * seen all of the event, so the others carry the former `s`.
 */
export const framesOf = (dispatches: readonly Dispatch[], session: Session, formerS: number): Buffer[] => {
  const admitted = dispatches.filter((dispatch) => dispatch.admits(session));
  return admitted.map((dispatch, i) =>
    i === admitted.length - 1 ? dispatch.frame(session) : withSequence(dispatch.frame(session), formerS),
  );
};
