/** The gateway: takes over sockets, delivers batches to their sessions, and sends them away when the process stops. */

import type { Ephemeral, Typing } from '../commands/port.ts';
import type { Takeover } from '../coordination/port.ts';
import { EventRenderer } from '../presenter/dispatches.ts';
import { type Clock, within } from '../schemas/clock.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import { FairQueue } from '../schemas/fair-queue.ts';
import { Op } from '../schemas/gateway/frames.ts';
import { Quota } from '../schemas/quota.ts';
import { fallBehind } from './catch-up.ts';
import { type Compression, canRemember, Memories } from './compression.ts';
import { controlFrame, RECONNECT } from './encoding.ts';
import { FanOut } from './fan-out.ts';
import { sweep } from './heartbeats.ts';
import { Holders } from './holders.ts';
import { Inbound } from './inbound.ts';
import type { Link } from './link.ts';
import { CommandFrames } from './op-commands.ts';
import { Outbox } from './outbox.ts';
import type { GatewayDeps } from './ports.ts';
import { Refusals } from './refusals.ts';
import { Ring } from './ring.ts';
import { depsAt } from './scope.ts';
import { type Closing, Closings, Phase, Session, type SessionHost } from './session.ts';
import type { Parts } from './session-start.ts';
import { Subscriptions } from './subscriptions.ts';
import { tellTyping } from './typing.ts';

/** Sends all sessions away before the process stops, spread out so that they do not all arrive elsewhere at once. */
const TICK_MS = 20;
const ANSWER_MS = 1_000;

/** Op 7, then 1012: after 1000, libraries would begin a new session instead of resuming. */
const sendAway = (outbox: Outbox, session: Session): void => {
  if (session.phase === Phase.live) outbox.pushAlone(session, RECONNECT);
  else outbox.writeNow(session, RECONNECT);
  session.close(Closings.restarting);
};

/**
 * Resolves when every session has been sent away. Sessions with commands in progress come last, once those are
 * answered, which may take a second longer than `windowMs`.
 */
const drainSessions = async (
  outbox: Outbox,
  sessions: readonly Session[],
  windowMs: number,
  clock: Clock,
): Promise<void> => {
  const ticks = Math.max(1, Math.floor(windowMs / TICK_MS));
  const perTick = Math.ceil(sessions.length / ticks);
  const busy: Session[] = [];
  for (let at = 0; at < sessions.length; at += perTick) {
    for (const session of sessions.slice(at, at + perTick)) {
      if (session.commandsInFlight > 0) busy.push(session);
      else sendAway(outbox, session);
    }
    if (windowMs > 0 && at + perTick < sessions.length) await clock.delay(TICK_MS);
  }
  for (let waited = 0; waited < ANSWER_MS && busy.some((session) => session.commandsInFlight > 0); waited += TICK_MS) {
    await clock.delay(TICK_MS);
  }
  for (const session of busy) sendAway(outbox, session);
};

/** The facts of the upgrade request. */
export interface Handshake {
  /** What the client connected to, from its Host header. */
  readonly host?: string | undefined;
  /** The client's address in the form of `addressKey`. */
  readonly peer: string;
  /** How what it is sent shall be compressed. */
  readonly compress?: Compression | undefined;
  /** It asked for a version or an encoding that this server does not speak. */
  readonly refuse?: Closing;
}

export interface Gateway extends Ephemeral {
  /** Whether `accept` will keep a socket from this address. */
  hasRoom(peer: string): boolean;
  /** Takes over an upgraded socket. It is attached to before this returns, so no frame is lost. */
  accept(link: Link, handshake: Handshake): void;
  /** Must be called with every batch once: before the views hold it where every event stands alone, after that otherwise. Never fails. */
  deliver(events: readonly ParleyEvent[], through: number): Promise<void>;
  /** Sends all sessions away, spread over `windowMs`, and refuses new ones. Resolves when their sockets are closed. */
  drain(windowMs: number): Promise<void>;
  /** A socket here or on another gateway has taken a session over. */
  takeover(takeover: Takeover): void;
  /** The number of identified sessions. */
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
  private readonly unidentified: Quota;
  private readonly memories: Memories;
  private readonly endSweeps: () => void;
  private live = 0;
  private draining = false;
  private whenEmpty: (() => void) | undefined;

  constructor(deps: GatewayDeps) {
    this.deps = deps;
    const subscriptions = new Subscriptions(deps.feed);
    const outbox = new Outbox(deps.config, deps.metrics, deps.clock);
    const renderer = new EventRenderer(deps.presenter, deps.views, (position) => depsAt(deps, position).views);
    const ring = new Ring(deps.config.ringBytes, deps.views.checkpoint());
    const late = (session: Session, seq: number) => fallBehind(this.parts, session, seq);
    const delivery = new FanOut(deps, { renderer, subscriptions, outbox, ring, late });
    const { running, reading } = deps.config.resumes;
    const [resumes, logReads] = [new FairQueue(running), new FairQueue(reading)];
    this.parts = { deps, renderer, subscriptions, outbox, ring, delivery, holders: new Holders(), resumes, logReads };
    const refusals = new Refusals(deps.config.refusedBudget, deps.clock);
    this.inbound = new Inbound(this.parts, new CommandFrames(deps, outbox, refusals), refusals);
    const { sockets, perAddress } = deps.config.unidentified;
    this.unidentified = new Quota(sockets, perAddress);
    this.memories = new Memories(deps.config.compressed);
    this.hello = controlFrame(Op.hello, { heartbeat_interval: deps.config.heartbeatIntervalMs });
    const { clock, config } = deps;
    let swept = clock.monotonic();
    this.endSweeps = clock.every(config.sweepIntervalMs, () => {
      const now = clock.monotonic();
      sweep(this.sockets, config, now, Math.max(0, now - swept - config.sweepIntervalMs));
      swept = now;
    });
  }

  get sessions(): number {
    return this.live;
  }

  hasRoom(peer: string): boolean {
    return this.unidentified.hasRoom(peer);
  }

  accept(link: Link, { host, peer, compress, refuse }: Handshake): void {
    const remembers = compress !== undefined && canRemember(compress) && this.memories.take();
    if (compress !== undefined) link.compress(compress, remembers);
    const session = new Session(link, this.parts.outbox.laneOf(link), this, host, peer);
    session.remembers = remembers;
    this.sockets.add(session);
    this.deps.metrics.sockets(1);
    session.counted = this.unidentified.take(peer);
    if (!session.counted) {
      session.close(Closings.tooManySockets);
      // Not kept until the client has closed it too.
      link.destroySoon();
    } else if (refuse !== undefined) session.close(refuse);
    else if (this.draining) sendAway(this.parts.outbox, session);
    else this.parts.outbox.writeNow(session, this.hello);
  }

  deliver(events: readonly ParleyEvent[], through: number): Promise<void> {
    const { spans } = this.deps;
    const { delivery } = this.parts;
    if (spans === undefined) return delivery.deliver(events, through);
    return spans.behind('deliver', events, {}, () => delivery.deliver(events, through));
  }

  typing(typing: Typing): void {
    tellTyping(this.parts, typing).catch((error: unknown) => {
      this.deps.logger.warn({ err: error, channelId: typing.channelId }, 'typing could not be told');
    });
  }

  takeover(takeover: Takeover): void {
    this.parts.holders.heard(takeover);
  }

  async drain(windowMs: number): Promise<void> {
    this.draining = true;
    await drainSessions(this.parts.outbox, [...this.sockets], windowMs, this.deps.clock);
    // A peer that does not close by then has stopped reading.
    await within(this.deps.clock, this.deps.config.closeGraceMs, this.empty());
    await this.close();
  }

  close(): Promise<void> {
    this.draining = true;
    this.endSweeps();
    for (const session of this.sockets) session.link.terminate();
    return this.empty();
  }

  received(session: Session, data: Buffer): void {
    this.inbound.receive(session, data);
  }

  identified(session: Session): void {
    this.uncount(session);
    session.link.takeLongFrames();
  }

  started({ userId, device }: Session): void {
    this.live += 1;
    this.deps.metrics.sessions(1);
    this.deps.registry.started(userId, device);
  }

  ended(session: Session): void {
    this.parts.subscriptions.leaveAll(session);
    this.parts.holders.letGo(session);
    if (!session.begun) return;
    this.live -= 1;
    this.deps.metrics.sessions(-1);
    this.deps.registry.ended(session.userId, session.device);
  }

  closing(session: Session, why: Closing): void {
    this.deps.metrics.closes(why.code);
    this.deps.logger.debug({ userId: session.userId, ...why }, 'a socket is closed');
  }

  gone(session: Session): void {
    if (this.sockets.delete(session)) {
      if (session.remembers) this.memories.giveBack();
      this.deps.metrics.sockets(-1);
    }
    this.uncount(session);
    if (this.sockets.size === 0) this.whenEmpty?.();
  }

  now(): number {
    return this.deps.clock.monotonic();
  }

  private uncount(session: Session): void {
    if (!session.counted) return;
    session.counted = false;
    this.unidentified.giveBack(session.peer);
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
