/** What a fresh session and a resumed one have in common: who it is, the views it waits for, live dispatches held back and released. */
import type { Tokens } from '../vault/tokens-port.ts';
import type { GatewayDeps } from './config.ts';
import type { Delivery } from './delivery.ts';
import type { EventRenderer } from './dispatches.ts';
import { type Outgoing, wireLength } from './frames.ts';
import { DEFAULT_INTENTS, Intent } from './intents.ts';
import type { Outbox } from './outbox.ts';
import type { Ring } from './ring.ts';
import type { Session } from './session.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface Parts {
  readonly deps: GatewayDeps;
  readonly renderer: EventRenderer;
  readonly subscriptions: Subscriptions;
  readonly outbox: Outbox;
  readonly ring: Ring;
  readonly delivery: Delivery;
}

export type Verified = NonNullable<Awaited<ReturnType<Tokens['verify']>>>;

/** @returns false when the token's user is unknown to the views. */
export const recognise = async (parts: Parts, session: Session, verified: Verified): Promise<boolean> => {
  const { guilds } = parts.deps.views;
  const [user, administrator] = await Promise.all([guilds.user(verified.userId), guilds.administrator()]);
  if (user === undefined) return false;
  session.userId = user.id;
  session.isBot = user.kind === 'bot';
  session.administers = administrator === user.id;
  session.generation = verified.generation;
  return true;
};

export const wants = (session: Session, intents: number | undefined): void => {
  session.intents = intents ?? DEFAULT_INTENTS;
  session.readsContent = !session.isBot || (session.intents & Intent.messageContent) !== 0;
};

/**
 * A session sees at least what was in the log when it asked: also what its user was told is done a moment ago.
 * @returns the log's head, or `undefined` when the views are too far behind it.
 */
export const viewsAtHead = async ({ deps }: Parts): Promise<number | undefined> => {
  const head = await deps.log.head();
  return (await deps.views.whenProcessed(head, deps.config.viewsTimeoutMs)) ? head : undefined;
};

/** Bytes written before a socket is looked at again and other work gets a turn. */
const PACE = 65_536;

/** Writes what comes before the live dispatches: in order, in few writes, no faster than the socket takes it. */
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

  /** Writes what is left. */
  end(): void {
    if (this.batch.length > 0) this.parts.outbox.writeOnce(this.session, this.batch, this.bytes);
    this.batch = [];
    this.bytes = 0;
  }
}
