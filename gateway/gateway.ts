/** The gateway: takes sockets over, delivers batches to their sessions, sends them away when the process stops. */
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { Ephemeral, Typing } from '../commands/port.ts';
import type { ParleyEvent } from '../schemas/events/index.ts';
import { Op } from '../schemas/gateway/frames.ts';
import type { Closing } from './closing.ts';
import { Commands } from './commands.ts';
import type { GatewayDeps } from './config.ts';
import { Delivery } from './delivery.ts';
import { EventRenderer } from './dispatches.ts';
import { drainSessions, sendAway } from './drain.ts';
import { controlFrame } from './frames.ts';
import { Inbound } from './inbound.ts';
import { Outbox } from './outbox.ts';
import { Ring } from './ring.ts';
import { Phase, Session, type SessionHost } from './session.ts';
import type { Parts } from './starting.ts';
import { Subscriptions } from './subscriptions.ts';
import { sweep } from './sweep.ts';
import { tellTyping } from './typing.ts';

/** What the upgrade request said. */
export interface Handshake {
  /** What the client connected to, from its Host header. */
  readonly host?: string | undefined;
  /** It asked for something this server does not speak. */
  readonly refuse?: Closing;
}

export interface Gateway extends Ephemeral {
  /**
   * Takes over an upgraded socket. Listeners are attached before it returns, so no frame is lost.
   * @param socket the TCP or TLS socket below `ws`.
   */
  accept(ws: WebSocket, socket: Socket, handshake: Handshake): void;
  /** To be told of every batch after the views hold it. Never fails. */
  deliver(events: readonly ParleyEvent[], through: number): Promise<void>;
  /** Sends all sessions elsewhere, spread over `windowMs`; resolves when their sockets are closed. New ones are sent away at once. */
  drain(windowMs: number): Promise<void>;
  /** Identified sessions. */
  readonly sessions: number;
  /** Ends every socket at once. */
  close(): Promise<void>;
}

class ParleyGateway implements Gateway, SessionHost {
  private readonly deps: GatewayDeps;
  private readonly parts: Parts;
  private readonly inbound: Inbound;
  private readonly hello: Buffer;
  private readonly sockets = new Set<Session>();
  private readonly timer: NodeJS.Timeout;
  private live = 0;
  private draining = false;
  private whenEmpty: (() => void) | undefined;

  constructor(deps: GatewayDeps) {
    this.deps = deps;
    const subscriptions = new Subscriptions(deps.feed);
    const outbox = new Outbox(deps.config, deps.metrics);
    const renderer = new EventRenderer(deps.presenter, deps.views);
    const ring = new Ring(deps.config.ringBytes, deps.views.checkpoint());
    const delivery = new Delivery(deps, { renderer, subscriptions, outbox, ring });
    this.parts = { deps, renderer, subscriptions, outbox, ring, delivery };
    this.inbound = new Inbound(this.parts, new Commands(deps, outbox));
    this.hello = controlFrame(Op.hello, { heartbeat_interval: deps.config.heartbeatIntervalMs });
    this.timer = setInterval(() => sweep(this.sockets, deps.config, deps.clock.now()), deps.config.sweepIntervalMs);
    this.timer.unref();
  }

  get sessions(): number {
    return this.live;
  }

  accept(ws: WebSocket, socket: Socket, { host, refuse }: Handshake): void {
    const session = new Session(ws, socket, this, host);
    this.sockets.add(session);
    if (refuse !== undefined) session.close(refuse);
    else if (this.draining) sendAway(this.parts.outbox, session);
    else this.parts.outbox.writeNow(session, this.hello);
  }

  deliver(events: readonly ParleyEvent[], through: number): Promise<void> {
    return this.parts.delivery.deliver(events, through);
  }

  typing(typing: Typing): void {
    tellTyping(this.parts, typing).catch((error: unknown) => {
      this.deps.logger.warn({ err: error, channelId: typing.channelId }, 'typing could not be told');
    });
  }

  async drain(windowMs: number): Promise<void> {
    this.draining = true;
    await drainSessions(this.parts.outbox, [...this.sockets], windowMs);
    const waited = new AbortController();
    // Whoever does not close by then has stopped reading.
    const enough = delay(this.deps.config.closeGraceMs, undefined, { signal: waited.signal, ref: false });
    await Promise.race([this.empty(), enough]);
    waited.abort();
    enough.catch(() => {});
    await this.close();
  }

  close(): Promise<void> {
    this.draining = true;
    clearInterval(this.timer);
    for (const session of this.sockets) session.ws.terminate();
    return this.empty();
  }

  received(session: Session, data: Buffer, isBinary: boolean): void {
    this.inbound.receive(session, data, isBinary);
  }

  started({ userId, device }: Session): void {
    this.live += 1;
    this.deps.metrics.sessions(1);
    this.deps.registry?.started(userId, device);
  }

  ended(session: Session): void {
    this.parts.subscriptions.leaveAll(session);
    if (session.phase !== Phase.live) return;
    this.live -= 1;
    this.deps.metrics.sessions(-1);
    this.deps.registry?.ended(session.userId, session.device);
  }

  closing(session: Session, why: Closing): void {
    this.deps.metrics.closes(why.code);
    this.deps.logger.debug({ userId: session.userId, ...why }, 'a socket is closed');
  }

  gone(session: Session): void {
    this.sockets.delete(session);
    if (this.sockets.size === 0) this.whenEmpty?.();
  }

  now(): number {
    return this.deps.clock.now();
  }

  private empty(): Promise<void> {
    if (this.sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.whenEmpty;
      this.whenEmpty = () => {
        before?.();
        resolve();
      };
    });
  }
}

export const createGateway = (deps: GatewayDeps): Gateway => new ParleyGateway(deps);
