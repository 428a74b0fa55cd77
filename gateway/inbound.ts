/**
 * Client frames: decodes each once, counts it against its budget and passes it on. A wrong frame closes the socket with
 * the documented code.
 */

import { decodeOrUndefined } from '../schemas/codecs.ts';
import {
  FRAME_BYTES,
  Heartbeat,
  Identify,
  LAST_LIBRARY_OP,
  LIBRARY_FRAME_BYTES,
  Op,
  PresenceUpdate,
  RequestGuildMembers,
  Resume,
} from '../schemas/gateway/frames.ts';
import { jsonError, parseJson } from '../schemas/json.ts';
import { dispatchFrame, HEARTBEAT_ACK } from './encoding.ts';
import { identify } from './identify.ts';
import type { CommandFrames } from './op-commands.ts';
import type { Refusals } from './refusals.ts';
import { MemberRequests } from './request-members.ts';
import { resume } from './resume.ts';
import { type Closing, Closings, Phase, type Session } from './session.ts';
import type { Parts } from './session-start.ts';

/** Opcodes that clients may send but that ask for nothing this server has. */
const ACCEPTED: ReadonlySet<number> = new Set([
  Op.voiceStateUpdate,
  Op.guildSubscriptions,
  Op.guildSubscriptionsBulk,
  Op.focus,
  Op.delivered,
]);

interface Frame {
  readonly op: number;
  readonly d: unknown;
}

const parse = (data: Buffer): Frame | undefined => {
  let frame: unknown;
  try {
    frame = parseJson(data.toString());
  } catch {
    return undefined;
  }
  if (typeof frame !== 'object' || frame === null) return undefined;
  const { op, d } = frame as { op?: unknown; d?: unknown };
  return typeof op === 'number' && Number.isInteger(op) ? { op, d } : undefined;
};

export class Inbound {
  private readonly parts: Parts;
  private readonly commands: CommandFrames;
  private readonly members: MemberRequests;
  private readonly refusals: Refusals;
  private position: { readonly at: number; readonly frame: Buffer } | undefined;

  constructor(parts: Parts, commands: CommandFrames, refusals: Refusals) {
    this.parts = parts;
    this.commands = commands;
    this.members = new MemberRequests(parts);
    this.refusals = refusals;
  }

  receive(session: Session, data: Buffer): void {
    if (session.phase === Phase.closed) return;
    const wrong = this.take(session, data);
    if (wrong !== undefined) session.close(wrong);
  }

  private take(session: Session, data: Buffer): Closing | undefined {
    const frame = data.length > FRAME_BYTES ? undefined : parse(data);
    if (frame === undefined) return Closings.undecodable;
    if (frame.op <= LAST_LIBRARY_OP) {
      if (data.length > LIBRARY_FRAME_BYTES) return Closings.tooLong;
      if (!this.withinBudget(session)) return Closings.rateLimited;
    }
    // An op 100 is answered, whatever is wrong with it.
    if (frame.op !== Op.command && jsonError(frame.d) !== undefined) return Closings.wrongPayload;
    return this.follow(session, frame);
  }

  private follow(session: Session, { op, d }: Frame): Closing | undefined {
    switch (op) {
      case Op.heartbeat:
        if (!Heartbeat.is(d)) return Closings.wrongPayload;
        this.heartbeat(session);
        return undefined;
      case Op.identify:
        return this.start(session, Identify.is(d) && (() => identify(this.parts, session, d)));
      case Op.resume:
        return this.start(session, Resume.is(d) && (() => resume(this.parts, session, d)));
      case Op.presenceUpdate:
        if (!session.listening) return Closings.notAuthenticated;
        return PresenceUpdate.is(d) ? undefined : Closings.wrongPayload;
      case Op.requestGuildMembers:
        if (!session.listening) return Closings.notAuthenticated;
        return this.members.receive(session, decodeOrUndefined(RequestGuildMembers, d));
      case Op.command:
        if (!session.listening) return Closings.notAuthenticated;
        this.commands.receive(session, d);
        return undefined;
      default:
        if (!ACCEPTED.has(op)) return Closings.unknownOpcode;
        if (!session.listening) return Closings.notAuthenticated;
        if (op > LAST_LIBRARY_OP) this.refusals.count(session);
        return undefined;
    }
  }

  /** @param begin returns `false` if the payload has the wrong shape. */
  private start(session: Session, begin: false | (() => Promise<Closing | undefined>)): Closing | undefined {
    if (session.phase !== Phase.fresh) return Closings.alreadyAuthenticated;
    if (begin === false) return Closings.wrongPayload;
    session.phase = Phase.starting;
    session.seenAt = session.host.now();
    begin().then(
      (wrong) => {
        if (wrong !== undefined) session.drop(wrong);
      },
      (error: unknown) => {
        this.parts.deps.logger.error({ err: error }, 'a session could not be started');
        session.drop(Closings.failed);
      },
    );
    return undefined;
  }

  /**
   * Tells a person's session its position on a heartbeat. One that sees few events then has less to look through when
   * it resumes. Bots are not told: several libraries take a jump of `s` for missed dispatches and warn.
   */
  private heartbeat(session: Session): void {
    const { outbox, delivery } = this.parts;
    // A heartbeat does not give a socket more time to identify.
    if (session.phase !== Phase.fresh) session.seenAt = session.host.now();
    if (session.phase !== Phase.live) {
      outbox.writeNow(session, HEARTBEAT_ACK);
      return;
    }
    if (!session.isBot && session.s < delivery.position && session.pending === null) {
      session.s = delivery.position;
      outbox.push(session, this.positionFrame(session.s));
    }
    outbox.push(session, HEARTBEAT_ACK);
  }

  /** One frame for all sessions at the same position. */
  private positionFrame(at: number): Buffer {
    if (this.position?.at !== at) this.position = { at, frame: dispatchFrame('PARLEY_POSITION', at, '{}') };
    return this.position.frame;
  }

  private withinBudget(session: Session): boolean {
    const { count, windowMs } = this.parts.deps.config.opBudget;
    return session.ops.add(session.host.now(), windowMs) <= count;
  }
}
