/** Sends frames: everything that one turn of the event loop has for a socket leaves in one write. */

import { type Clock, within } from '../schemas/clock.ts';
import type { GatewayConfig } from './config.ts';
import { encodeInto, type Outgoing } from './frame-bytes.ts';
import { FrameTree } from './frame-tree.ts';
import { Lane } from './lane.ts';
import type { Link, Outlet, Pace } from './link.ts';
import type { GatewayMetrics } from './ports.ts';
import { Closings, Phase, type Session } from './session.ts';

/** Sockets written to before other work gets a turn: a write costs 7-9 us, so this is about 2 ms. */
const SOCKETS_PER_TURN = 256;

/**
 * Encoded bytes that may be queued while a flush is in progress, over all channels. Beyond that, delivery has to wait for
 * the flush. Measured: with 256 KB, 20 busy channels made delivery lag by 400 to 750 ms.
 */
const AHEAD_OF_FLUSH = 4 * 1024 * 1024;

/** How long delivery waits for another process that does nothing, in milliseconds. */
const HELD_UP_MS = 1_000;

const SCRATCH_BYTES = 128 * 1024;
const NO_SCRATCH = Buffer.alloc(0);

/** Bytes that paced writers leave in a socket: enough to keep it busy. */
const PACED_ROOM = 256 * 1024;

type Limits = Pick<GatewayConfig, 'byteBudget' | 'heldBudget' | 'stallMs'>;

export class Outbox {
  private readonly byteBudget: number;
  private readonly heldBudget: number;
  private readonly stallMs: number;
  private readonly clock: Clock;
  private readonly metrics: Pick<GatewayMetrics, 'bytes'>;
  /** Of the sockets of this process. */
  private readonly own = new Lane<Session>();
  private readonly others = new WeakMap<Pace, Lane<Session>>();
  private readonly scheduled = new Set<Lane<Session>>();
  private scratch = NO_SCRATCH;
  private handedOut = 0;

  constructor(limits: Limits, metrics: Pick<GatewayMetrics, 'bytes'>, clock: Clock) {
    this.byteBudget = limits.byteBudget;
    this.heldBudget = limits.heldBudget;
    this.stallMs = limits.stallMs;
    this.metrics = metrics;
    this.clock = clock;
  }

  laneOf({ pace }: Link): Lane<Session> {
    if (pace === undefined) return this.own;
    const lane = this.others.get(pace) ?? new Lane<Session>(pace);
    this.others.set(pace, lane);
    return lane;
  }

  /** Adds a frame that other sessions get too (the same Buffer). */
  push(session: Session, frame: Buffer): void {
    if (session.phase === Phase.closed) return;
    const from = session.pending;
    if (from === null) this.wait(session, session.lane.root.next(frame));
    else {
      session.pending = from.next(frame);
      const { length } = session.pending;
      if (session.phase === Phase.holding && length > this.heldBudget) this.tooSlow(session);
      else if (session.lane.isLate && length > this.byteBudget) this.tooSlow(session);
    }
  }

  /** Adds a frame for this session only. */
  pushAlone(session: Session, frame: Buffer): void {
    if (session.phase === Phase.closed) return;
    if (session.pending === null) this.wait(session, session.lane.root.alone(frame));
    else session.pending = session.pending.alone(frame);
  }

  /**
   * Keeps delivery from running ahead of the sockets.
   * @param bytes encoded since the last call; each frame counts once however many sessions get it.
   */
  async keepPace(bytes: number): Promise<void> {
    this.handedOut += bytes;
    if (this.handedOut <= AHEAD_OF_FLUSH) return;
    await Promise.all([...this.scheduled].map((lane) => this.waitFor(lane)));
    this.handedOut = 0;
  }

  /** A flush of this process always ends. That of a process that stands still does not. */
  private async waitFor(lane: Lane<Session>): Promise<void> {
    if (lane.isLate) return;
    const caughtUp = lane.untilCaughtUp().then(() => true);
    if (lane === this.own) {
      await caughtUp;
      return;
    }
    while (!lane.isLate) {
      const before = lane.pace.done;
      if ((await within(this.clock, HELD_UP_MS, caughtUp)) === true) return;
      lane.isLate = lane.pace.done === before;
    }
  }

  /** Makes a holding session live: the held frames leave with the next flush. */
  release(session: Session): void {
    session.phase = Phase.live;
    if (!session.begun) session.host.started(session);
    session.begun = true;
    if (session.pending !== null) this.enqueue(session);
  }

  /** Whether a socket has room for dispatches that it can do without. */
  hasRoomForEphemeral(session: Session): boolean {
    return session.outlet.writableLength <= this.byteBudget / 4;
  }

  /**
   * Resolves when little waits in the socket, or when it is closed, as it is when it takes nothing for too long. Always
   * lets other work run first.
   */
  async room(session: Session): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const { outlet } = session;
    const room = Math.min(PACED_ROOM, this.byteBudget / 2);
    // Half the time twice: after this process itself slept, the second half shows whether the peer reads.
    for (let still = 0; outlet.writable && outlet.writableLength > room; ) {
      const before = outlet.writableLength;
      await this.drained(outlet);
      still = outlet.writableLength < before ? 0 : still + 1;
      if (still === 2) return this.tooSlow(session);
    }
  }

  /** Resolves when the socket has taken everything, is closed, or half the time for taking anything is over. */
  private drained(outlet: Outlet): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        outlet.off('drain', done);
        outlet.off('close', done);
        resolve();
      };
      const cancel = this.clock.setTimer(this.stallMs / 2, done);
      outlet.on('drain', done);
      outlet.on('close', done);
    });
  }

  /**
   * Bypasses the queue, for frames that precede everything waiting. Paced writers stay within the budget; replies that
   * a client provokes may not.
   */
  writeNow(session: Session, frames: Buffer): void {
    if (session.outlet.writableLength > 2 * this.byteBudget) {
      this.tooSlow(session);
      return;
    }
    session.write(frames);
    this.metrics.bytes(frames.length);
  }

  /**
   * Writes what only one socket gets, encoded in a shared scratch buffer. A separate Buffer for every starting session
   * would fragment the heap by about 1 KB for each.
   * @param length of everything together, in bytes on the wire.
   */
  writeOnce(session: Session, outgoing: readonly Outgoing[], length: number): void {
    if (this.scratch.length < length) this.scratch = Buffer.allocUnsafeSlow(Math.max(length, SCRATCH_BYTES));
    let end = 0;
    for (const each of outgoing) end = encodeInto(this.scratch, end, each);
    this.writeNow(session, this.scratch.subarray(0, end));
    // The socket still reads from the scratch buffer what it did not take at once.
    if (session.outlet.writableLength > 0 && session.outlet.copies !== true) this.scratch = NO_SCRATCH;
  }

  private wait(session: Session, pending: FrameTree): void {
    session.pending = pending;
    if (session.phase !== Phase.holding) this.enqueue(session);
  }

  private enqueue(session: Session): void {
    const { lane } = session;
    lane.waiting.push(session);
    if (lane.scheduled) return;
    lane.scheduled = true;
    this.scheduled.add(lane);
    lane.pace.soon(() => this.flush(lane));
  }

  /**
   * Not on a timer: the next flush begins when this one ends. Under load each write therefore carries more frames, and
   * without load nothing waits. A frame pushed while a flush yields joins a write that is still to come.
   */
  private flush(lane: Lane<Session>): void {
    if (lane.at >= lane.flushing.length) {
      lane.flushing = lane.waiting;
      lane.waiting = [];
      lane.at = 0;
      lane.root = FrameTree.root();
      lane.caughtUp();
    }
    const end = Math.min(lane.at + SOCKETS_PER_TURN, lane.flushing.length);
    let bytes = 0;
    for (; lane.at < end; lane.at += 1) bytes += this.write(lane.flushing[lane.at]!);
    if (bytes > 0) this.metrics.bytes(bytes);
    lane.pace.flushed();
    if (lane.at < lane.flushing.length || lane.waiting.length > 0) lane.pace.soon(() => this.flush(lane));
    else {
      lane.flushing = [];
      lane.at = 0;
      lane.scheduled = false;
      this.scheduled.delete(lane);
      lane.caughtUp();
    }
  }

  /** Writes what waits for a session ahead of the next flush. */
  flushNow(session: Session): void {
    this.metrics.bytes(this.write(session));
  }

  private write(session: Session): number {
    const pending = session.pending;
    session.pending = null;
    const { outlet } = session;
    if (pending === null || !outlet.writable) return 0;
    if (outlet.writableLength > this.byteBudget) {
      this.tooSlow(session);
      return 0;
    }
    outlet.write(pending.bytes());
    return pending.length;
  }

  private tooSlow(session: Session): void {
    session.drop(Closings.tooSlow);
  }
}
