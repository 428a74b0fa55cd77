/** Op 100: commands over the socket, carried out in the order sent, each answered by an op 101. */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import type { Actor } from '../schemas/actor.ts';
import { decode } from '../schemas/codecs.ts';
import { type Command, type CommandType, commandCodecs } from '../schemas/commands/index.ts';
import { errorBody, fieldError, type ParleyError, parleyError, StoreUnavailable } from '../schemas/errors.ts';
import { Op } from '../schemas/gateway/frames.ts';
import { textFrame } from './encoding.ts';
import type { Outbox } from './outbox.ts';
import type { GatewayDeps } from './ports.ts';
import { Phase, type Session } from './session.ts';

const ID_LENGTH = 64;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isType = (type: unknown): type is CommandType => typeof type === 'string' && Object.hasOwn(commandCodecs, type);

export class Commands {
  private readonly deps: Pick<GatewayDeps, 'dispatcher' | 'config' | 'logger' | 'metrics' | 'spans'>;
  private readonly outbox: Outbox;

  constructor(deps: Commands['deps'], outbox: Outbox) {
    this.deps = deps;
    this.outbox = outbox;
  }

  /** Never closes the socket: whatever is wrong with a command is said in its op 101. */
  receive(session: Session, d: unknown): void {
    if (!isRecord(d) || typeof d.id !== 'string' || d.id.length < 1 || d.id.length > ID_LENGTH) {
      const message = `Must be a string of 1 to ${ID_LENGTH} characters.`;
      this.refuse(session, null, fieldError(['id'], 'BASE_TYPE_INVALID', message));
      return;
    }
    const { id, type } = d;
    if (!isType(type)) {
      const message = `Must be one of ${Object.keys(commandCodecs).join(', ')}.`;
      this.refuse(session, id, fieldError(['type'], 'BASE_TYPE_CHOICES', message));
      return;
    }
    const body = decode(commandCodecs[type] as (typeof commandCodecs)['message.send'], d);
    if (either.isLeft(body)) {
      this.refuse(session, id, body.left);
      return;
    }
    if (session.commandsInFlight >= this.deps.config.commandsInFlight) {
      this.refuse(session, id, parleyError('rateLimited', { retryAfter: 1 }));
      return;
    }
    session.commandsInFlight += 1;
    void this.carryOut(session, id, { type, body: body.right } as Command, d.traceparent);
  }

  /** @param caller the span that the client calls its own, which says nothing where nothing is traced */
  private async carryOut(session: Session, id: string, command: Command, caller: unknown): Promise<void> {
    const actor: Actor = {
      userId: session.userId,
      kind: session.isBot ? 'bot' : 'person',
      administrator: session.administers,
    };
    const correlationId = randomUUID();
    const span = this.deps.spans?.request(caller, {
      'parley.command': command.type,
      'parley.user': session.userId,
      'parley.correlation': correlationId,
    });
    let error: ParleyError | undefined;
    try {
      const { outcome } = await this.deps.dispatcher.submit(
        {
          actor,
          key: id,
          onOtherContent: 'refuse',
          counted: false,
          correlationId,
          ...(span && { traceparent: span.traceparent }),
        },
        command,
      );
      if (either.isLeft(outcome)) error = outcome.left;
      else this.reply(session, { id, ok: true, ...outcome.right });
    } catch (failure) {
      if (failure instanceof StoreUnavailable) error = parleyError('unavailable', { retryAfter: failure.retryAfter });
      else {
        this.deps.logger.error({ err: failure, correlationId, type: command.type }, 'a command failed');
        error = parleyError('general');
      }
    } finally {
      session.commandsInFlight -= 1;
    }
    if (error !== undefined) this.refuse(session, id, error);
    span?.end(error && { 'parley.refused': error.name }, error !== undefined && error.status >= 500);
  }

  private refuse(session: Session, id: string | null, error: ParleyError): void {
    this.deps.metrics.refusals(error.name);
    this.reply(session, { id, ok: false, error: errorBody(error) });
  }

  /** While dispatches are held back the answer is not: the client waits for it. */
  private reply(session: Session, d: object): void {
    const frame = textFrame(JSON.stringify({ op: Op.commandResult, d, s: null, t: null }));
    if (session.phase === Phase.live) this.outbox.pushAlone(session, frame);
    else if (session.phase === Phase.holding) this.outbox.writeNow(session, frame);
  }
}
