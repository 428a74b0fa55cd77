/** Gateway messages as bytes: complete WebSocket text frames that any number of sockets can share unchanged. */

import type { Viewer } from '../presenter/dispatch.ts';
import type { Dispatch, EventRenderer } from '../presenter/dispatches.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import { hasAny, Op } from '../schemas/gateway/frames.ts';
import { type Soon, soon } from '../schemas/soon.ts';
import { payloadOf, textFrame, textFrameAround } from './frame-bytes.ts';
import type { Session } from './session.ts';

const dispatchHead = (t: string, s: number): string => `{"op":${Op.dispatch},"s":${s},"t":"${t}","d":`;

/** A dispatch as text; `d` is already JSON. */
export const dispatchPayload = (t: string, s: number, d: string): string => `${dispatchHead(t, s)}${d}}`;

export const dispatchFrame = (t: string, s: number, d: string): Buffer => textFrameAround(dispatchHead(t, s), d, '}');

/** The same dispatch with another `s`. */
export const withSequence = (frame: Buffer, s: number): Buffer =>
  textFrame(payloadOf(frame).replace(/^\{"op":0,"s":\d+/, `{"op":0,"s":${s}`));

/** A frame that is not a dispatch. */
export const controlFrame = (op: number, d: unknown): Buffer => textFrame(JSON.stringify({ op, d, s: null, t: null }));

export const HEARTBEAT_ACK = controlFrame(Op.heartbeatAck, null);
export const RECONNECT = controlFrame(Op.reconnect, null);
/** Always `false`: after `true`, discord.js resumes again at once, in an endless loop. */
export const INVALID_SESSION = controlFrame(Op.invalidSession, false);

/** By message. */
const said = new WeakMap<object, string>();

/**
 * JSON of what two frames may carry: a new message stands in its author's answer and in the dispatch. The first of the
 * two to ask makes the text, the second takes it.
 */
export const sharedJson = (shown: unknown): string => {
  if (typeof shown !== 'object' || shown === null) return JSON.stringify(shown) ?? 'null';
  const known = said.get(shown);
  if (known !== undefined) {
    said.delete(shown);
    return known;
  }
  const text = JSON.stringify(shown);
  said.set(shown, text);
  return text;
};

// One dispatch, encoded once for all sessions in its audience.

/** Message fields that are empty for bots without the MESSAGE_CONTENT intent. */
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
  /** The message's author and the users it mentions. They see it whole. */
  readonly concerned: ReadonlySet<string>;
}

/**
 * Made from the whole frame, and only once such a bot listens: keeping both forms of every event would double the
 * ring's memory.
 */
const veil = (frame: Buffer): Veiled => {
  const payload = JSON.parse(payloadOf(frame)) as { d: Readable };
  const { author, mentions } = payload.d;
  return {
    frame: textFrame(JSON.stringify({ ...payload, d: withoutText(payload.d) })),
    concerned: new Set([author.id, ...mentions.map((user) => user.id)]),
  };
};

export class EncodedDispatch {
  readonly position: number;
  private readonly intents: number;
  private readonly whole: Buffer;
  private readonly carriesText: boolean;
  private readonly toPeople: boolean;
  /** It goes beyond the audiences of its event. */
  readonly toAuditors: boolean;
  private readonly visibleTo: Dispatch['visibleTo'];
  private readonly grew: (bytes: number) => void;
  /** Ids of the messages it shows. */
  readonly shows: readonly string[];
  private veiled: Veiled | undefined;
  /**
   * The last frame made by `frameBefore`. Most dispatches are the last of their event and have none. Only one is kept:
   * sessions may have as many different `s` as there are sessions.
   */
  private earlier: { readonly of: Buffer; readonly s: number; readonly frame: Buffer } | undefined;

  /**
   * @param position of its event
   * @param grew called with the bytes of each frame that it keeps besides the first, negative when it drops one
   */
  constructor(
    { name, data, intents, carriesText, shows, toPeople, toAuditors, visibleTo }: Dispatch,
    position: number,
    grew: (bytes: number) => void,
  ) {
    this.position = position;
    this.intents = intents;
    this.whole = dispatchFrame(name, position, name === 'MESSAGE_CREATE' ? sharedJson(data) : JSON.stringify(data));
    this.carriesText = carriesText;
    this.shows = shows;
    this.toPeople = toPeople === true;
    this.toAuditors = toAuditors === true;
    this.visibleTo = visibleTo;
    this.grew = grew;
  }

  /** Bytes of the frame that most sessions get. */
  get bytes(): number {
    return this.whole.length;
  }

  /** Whether the session receives it. @param viewer by whose rights */
  admits(session: Session, viewer: Viewer = session): boolean {
    return hasAny(session.intents, this.intents) && !(this.toPeople && session.isBot) && this.concerns(viewer);
  }

  /** Whether it is about something that somebody may see, whether or not they receive it. */
  concerns(viewer: Viewer): boolean {
    return this.visibleTo === null || this.visibleTo(viewer);
  }

  /** The same Buffer for all sessions that see the same. */
  frame(session: Session): Buffer {
    if (session.readsContent || !this.carriesText) return this.whole;
    if (this.veiled === undefined) {
      this.veiled = veil(this.whole);
      this.grew(this.veiled.frame.length);
    }
    return this.veiled.concerned.has(session.userId) ? this.whole : this.veiled.frame;
  }

  /**
   * The frame for when this is not the event's last dispatch and the session has seen through `s`. Sessions at the same
   * `s` share one Buffer if they ask one after another.
   */
  frameBefore(session: Session, s: number): Buffer {
    const of = this.frame(session);
    const known = this.earlier;
    if (known !== undefined && known.of === of && known.s === s) return known.frame;
    const frame = withSequence(of, s);
    this.earlier = { of, s, frame };
    this.grew(frame.length - (known?.frame.length ?? 0));
    return frame;
  }
}

/**
 * An event's dispatches, ready for every session in its audience.
 * @param guildId guild of the channel, for events in a channel's stream
 * @param deleted ids of messages that have been deleted since
 * @param grew see `EncodedDispatch`
 */
export const encodedDispatches = (
  renderer: EventRenderer,
  event: ParleyEvent,
  guildId: string | null,
  deleted: ReadonlySet<string>,
  grew: (bytes: number) => void = () => {},
): Soon<readonly EncodedDispatch[]> => {
  const encoded = (dispatches: readonly Dispatch[]): readonly EncodedDispatch[] =>
    dispatches.map((dispatch) => new EncodedDispatch(dispatch, event.position, grew));
  const rendered = renderer.render(event, guildId, deleted);
  return soon(rendered, encoded);
};

/** Those for whoever hears of an event only because they may read the audit log. */
export const forAuditors = (dispatches: readonly EncodedDispatch[]): readonly EncodedDispatch[] =>
  dispatches.filter(({ toAuditors }) => toAuditors);

/**
 * The frames of one event for one session. Only the last carries the event's position. Before it the session has not
 * seen the whole event, so the other frames carry the previous `s`.
 * @param viewer by whose rights
 */
export const framesOf = (
  dispatches: readonly EncodedDispatch[],
  session: Session,
  formerS: number,
  viewer: Viewer = session,
): Buffer[] => {
  const admitted = dispatches.filter((dispatch) => dispatch.admits(session, viewer));
  return admitted.map((dispatch, i) =>
    i === admitted.length - 1 ? dispatch.frame(session) : dispatch.frameBefore(session, formerS),
  );
};
