/** Op 100: commands over the socket, carried out in the order sent, each answered by an op 101. */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { CommandContext, CommandOutcome, Submitted } from '../commands/port.ts';
import { type PresentedAnswer, presentAnswer } from '../presenter/answers.ts';
import type { Actor } from '../schemas/actor.ts';
import { decode } from '../schemas/codecs.ts';
import { errorBody, type ParleyError, parleyError, StoreUnavailable } from '../schemas/errors.ts';
import { GivenCommand, Op } from '../schemas/gateway/frames.ts';
import { jsonError } from '../schemas/json.ts';
import { reasonGiven } from '../schemas/reason.ts';
import { type Soon, soon } from '../schemas/soon.ts';
import type { Span } from '../telemetry/spans.ts';
import { sharedJson } from './encoding.ts';
import { textFrameAround } from './frame-bytes.ts';
import type { Outbox } from './outbox.ts';
import type { GatewayDeps } from './ports.ts';
import type { Refusals } from './refusals.ts';
import { Phase, type Session } from './session.ts';

const OF_THE_FRAME: ReadonlySet<string> = new Set(['id', 'type', 'traceparent', 'audit_log_reason', 'kind']);

/**
 * What stands in the frame for the command itself reaches no command. A command's field of the name `type` is `kind` over
 * the socket.
 */
const fieldsOf = (given: GivenCommand): object => {
  const fields: Record<string, unknown> = {};
  // The rest of an object by its pattern costs ten times as much.
  for (const name in given) if (!OF_THE_FRAME.has(name)) fields[name] = given[name];
  if (given.kind !== undefined) fields.type = given.kind;
  return fields;
};

const atItsField = (error: ParleyError): ParleyError => {
  if (error.errors === undefined || !('type' in error.errors)) return error;
  const { type, ...others } = error.errors;
  return { ...error, errors: { ...others, kind: type! } };
};

type Deps = Pick<GatewayDeps, 'bus' | 'presenter' | 'config' | 'logger' | 'metrics' | 'spans' | 'clock'>;

/** A command under way. */
interface AskedOver {
  readonly session: Session;
  readonly id: string;
  readonly type: string;
  readonly correlationId: string;
  /** On the monotonic clock. */
  readonly began: number;
  readonly span: Span | undefined;
}

export class CommandFrames {
  private readonly deps: Deps;
  private readonly outbox: Outbox;
  private readonly refusals: Refusals;

  constructor(deps: Deps, outbox: Outbox, refusals: Refusals) {
    this.deps = deps;
    this.outbox = outbox;
    this.refusals = refusals;
  }

  /** Never closes the socket: an op 101 reports whatever is wrong with a command. */
  receive(session: Session, d: unknown): void {
    const decoded = decode(GivenCommand, d);
    if (either.isLeft(decoded)) {
      this.refuse(session, null, decoded.left);
      return;
    }
    const { id } = decoded.right;
    const wrong = jsonError(d);
    if (wrong !== undefined) {
      this.refuse(session, id, wrong);
      return;
    }
    const reason = reasonGiven('audit_log_reason', decoded.right.audit_log_reason);
    if (either.isLeft(reason)) {
      this.refuse(session, id, reason.left);
      return;
    }
    if (session.commandsInFlight >= this.deps.config.commandsInFlight) {
      this.refuse(session, id, parleyError('rateLimited', { retryAfter: 1 }));
      return;
    }
    session.commandsInFlight += 1;
    this.submit(session, decoded.right, reason.right);
  }

  private submit(session: Session, d: GivenCommand, reason: string | undefined): void {
    const { bus, clock, spans } = this.deps;
    const correlationId = randomUUID();
    const type = typeof d.type === 'string' ? d.type : '';
    // `d.traceparent` is the client's own span. It is ignored where nothing is traced.
    const span = spans?.request(d.traceparent, {
      'parley.command': type,
      'parley.user': session.userId,
      'parley.correlation': correlationId,
    });
    const asked: AskedOver = { session, id: d.id, type, correlationId, began: clock.monotonic(), span };
    const actor: Actor = {
      userId: session.userId,
      kind: session.isBot ? 'bot' : 'person',
      administrator: session.administers,
    };
    const traceparent = span?.traceparent;
    const context: CommandContext = { actor, key: d.id, counted: false, correlationId, reason, traceparent };
    // Hundreds of commands wait on each socket, and promises take less memory than an async function that waits.
    bus
      .submit(context, type, fieldsOf(d))
      .then(({ outcome }) => this.answer(asked, outcome))
      .then(
        (error) => this.ended(asked, error),
        (failure: unknown) => this.ended(asked, this.errorOf(asked, failure)),
      );
  }

  /** @returns why it is refused, which is yet to be said */
  private answer(asked: AskedOver, outcome: Submitted['outcome']): Soon<ParleyError | undefined> {
    const { bus, presenter } = this.deps;
    if (either.isLeft(outcome))
      return bus.commands.some((one) => one.type === asked.type) ? atItsField(outcome.left) : outcome.left;
    const shown = presentAnswer(presenter, outcome.right.answer);
    return soon(shown, (read) => this.tell(asked, outcome.right, read));
  }

  private tell(
    { session, id }: AskedOver,
    { position, stream, sequence }: CommandOutcome,
    shown: Either<ParleyError, PresentedAnswer>,
  ): ParleyError | undefined {
    if (either.isLeft(shown)) return shown.left;
    this.reply(
      session,
      `{"id":${JSON.stringify(id)},"ok":true,"position":${position},"stream":"${stream}","sequence":${sequence},"result":`,
      sharedJson(shown.right.shown),
    );
    return undefined;
  }

  private errorOf({ correlationId, type }: AskedOver, failure: unknown): ParleyError {
    if (failure instanceof StoreUnavailable) return parleyError('unavailable', { retryAfter: failure.retryAfter });
    this.deps.logger.error({ err: failure, correlationId, type }, 'a command failed');
    return parleyError('general');
  }

  private ended({ session, id, began, span }: AskedOver, error: ParleyError | undefined): void {
    session.commandsInFlight -= 1;
    if (error !== undefined) this.refuse(session, id, error);
    const failed = error !== undefined && error.status >= 500;
    const outcome = failed ? 'failed' : error === undefined ? 'done' : 'refused';
    this.deps.metrics.commands(outcome, this.deps.clock.monotonic() - began);
    span?.end(error && { 'parley.refused': error.name }, failed);
  }

  private refuse(session: Session, id: string | null, error: ParleyError): void {
    this.deps.metrics.refusals(error.name);
    this.refusals.count(session);
    this.reply(session, `{"id":${JSON.stringify(id)},"ok":false,"error":`, JSON.stringify(errorBody(error)));
  }

  /**
   * The answer is sent even while a session catches up, because the client waits for it.
   * @param head the `d` up to its last field
   * @param last that field, as JSON
   */
  private reply(session: Session, head: string, last: string): void {
    const frame = textFrameAround(`{"op":${Op.commandResult},"d":${head}`, last, '},"s":null,"t":null}');
    if (session.phase === Phase.live) this.outbox.pushAlone(session, frame);
    else if (session.phase !== Phase.closed) this.outbox.writeNow(session, frame);
  }
}
