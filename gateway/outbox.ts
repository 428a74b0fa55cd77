/** Sends frames: everything that one turn of the event loop has for a socket leaves in one write. */

import type { Socket } from 'node:net';
import type { Clock } from '../schemas/clock.ts';
import type { GatewayConfig } from './config.ts';
import { encodeInto, type Outgoing } from './frame-bytes.ts';
import { FrameTree } from './frame-tree.ts';
import type { GatewayMetrics } from './ports.ts';
import { Closings, Phase, type Session } from './session.ts';

/** Sockets written to before other work gets a turn: a write costs 7-9 us, so this is about 2 ms. */
const SOCKETS_PER_TURN = 256;

/**
 * Encoded bytes that may be queued while a flush is in progress, over all channels. Beyond that, delivery has to wait for
 * the flush. Measured: with 256 KB, 20 busy channels made delivery lag by 400 to 750 ms.
 */
const AHEAD_OF_FLUSH = 4 * 1024 * 1024;

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
  private root = FrameTree.root();
  private scratch = NO_SCRATCH;
  /** Live sessions with waiting frames, in the order of their first frame. */
  private waiting: Session[] = [];
  private flushing: Session[] = [];
  private at = 0;
  private scheduled = false;
  private handedOut = 0;
  private whenCaughtUp: (() => void)[] = [];

  constructor(limits: Limits, metrics: Pick<GatewayMetrics, 'bytes'>, clock: Clock) {
    this.byteBudget = limits.byteBudget;
    this.heldBudget = limits.heldBudget;
    this.stallMs = limits.stallMs;
    this.metrics = metrics;
    this.clock = clock;
  }

  /** Adds a frame that other sessions get too (the same Buffer). */
  push(session: Session, frame: Buffer): void {
    if (session.phase === Phase.closed) return;
    const from = session.pending;
    if (from === null) this.wait(session, this.root.next(frame));
    else {
      session.pending = from.next(frame);
      if (session.phase === Phase.holding && session.pending.length > this.heldBudget) this.tooSlow(session);
    }
  }

  /** Adds a frame for this session only. */
  pushAlone(session: Session, frame: Buffer): void {
    if (session.phase === Phase.closed) return;
    if (session.pending === null) this.wait(session, this.root.alone(frame));
    else session.pending = session.pending.alone(frame);
  }

  /**
   * Keeps delivery from running ahead of the sockets.
   * @param bytes encoded since the last call; each frame counts once however many sessions get it.
   */
  async keepPace(bytes: number): Promise<void> {
    this.handedOut += bytes;
    if (this.handedOut <= AHEAD_OF_FLUSH) return;
    if (this.scheduled) await new Promise<void>((resolve) => this.whenCaughtUp.push(resolve));
    this.handedOut = 0;
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
    return session.socket.writableLength <= this.byteBudget / 4;
  }

  /**
   * Resolves when little waits in the socket, or when it is closed, as it is when it takes nothing for too long. Always
   * lets other work run first.
   */
  async room(session: Session): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const { socket } = session;
    const room = Math.min(PACED_ROOM, this.byteBudget / 2);
    // Half the time twice: after this process itself slept, the second half shows whether the peer reads.
    for (let still = 0; session.writable && socket.writableLength > room; ) {
      const before = socket.writableLength;
      await this.drained(socket);
      still = socket.writableLength < before ? 0 : still + 1;
      if (still === 2) return this.tooSlow(session);
    }
  }

  /** Resolves when the socket has taken everything, is closed, or half the time for taking anything is over. */
  private drained(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      const cancel = this.clock.setTimer(this.stallMs / 2, done);
      socket.on('drain', done);
      socket.on('close', done);
    });
  }

  /**
   * Bypasses the queue, for frames that precede everything waiting. Paced writers stay within the budget; replies that
   * a client provokes may not.
   */
  writeNow(session: Session, frames: Buffer): void {
    if (session.socket.writableLength > 2 * this.byteBudget) {
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
    if (session.socket.writableLength > 0) this.scratch = NO_SCRATCH;
  }

  private wait(session: Session, pending: FrameTree): void {
    session.pending = pending;
    if (session.phase !== Phase.holding) this.enqueue(session);
  }

  private enqueue(session: Session): void {
    this.waiting.push(session);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.flush);
  }

  /**
   * Not on a timer: the next flush begins when this one ends. Under load each write therefore carries more frames, and
   * without load nothing waits. A frame pushed while a flush yields joins a write that is still to come.
   */
  private readonly flush = (): void => {
    if (this.at >= this.flushing.length) {
      this.flushing = this.waiting;
      this.waiting = [];
      this.at = 0;
      this.root = FrameTree.root();
      this.caughtUp();
    }
    const end = Math.min(this.at + SOCKETS_PER_TURN, this.flushing.length);
    let bytes = 0;
    for (; this.at < end; this.at += 1) bytes += this.write(this.flushing[this.at]!);
    if (bytes > 0) this.metrics.bytes(bytes);
    if (this.at < this.flushing.length || this.waiting.length > 0) setImmediate(this.flush);
    else {
      this.flushing = [];
      this.at = 0;
      this.scheduled = false;
      this.caughtUp();
    }
  };

  private caughtUp(): void {
    const resume = this.whenCaughtUp;
    this.whenCaughtUp = [];
    for (const each of resume) each();
  }

  /** Writes what waits for a session ahead of the next flush. */
  flushNow(session: Session): void {
    this.metrics.bytes(this.write(session));
  }

  private write(session: Session): number {
    const pending = session.pending;
    session.pending = null;
    if (pending === null || !session.writable) return 0;
    if (session.socket.writableLength > this.byteBudget) {
      this.tooSlow(session);
      return 0;
    }
    session.put(pending.bytes());
    return pending.length;
  }

  private tooSlow(session: Session): void {
    session.drop(Closings.tooSlow);
  }
}
