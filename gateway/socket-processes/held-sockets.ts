/** Inside a socket process: holds sockets, and does with them what the main process says. */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Clock } from '../../schemas/clock.ts';
import { COMPRESSIONS } from '../compression.ts';
import type { LinkHolder } from '../link.ts';
import { GATEWAY_SOCKETS, type GatewaySocket } from '../websocket.ts';
import { Batches, type BatchReader, BatchWriter } from './batch.ts';
import { From, type Handover, To } from './entries.ts';

/** How often the main process is told of sockets that take what waits for them slowly. Milliseconds. */
const LOOK_MS = 50;

/** Numbers of four bytes end there. No budget is larger. */
const MOST = 0xffff_ffff;

/** Frames for some of the sockets, in the bytes of their batch. */
interface Frames {
  readonly bytes: Buffer;
  /** Without the rest of the batch. */
  copy?: Buffer;
}

class HeldSocket implements LinkHolder {
  readonly id: number;
  readonly link: GatewaySocket;
  private readonly all: HeldSockets;
  /** The bytes waiting that the main process knows of. */
  told = 0;
  /** The main process wants it not to be read. */
  paused = false;

  constructor(id: number, link: GatewaySocket, all: HeldSockets) {
    this.id = id;
    this.link = link;
    this.all = all;
    link.attach(this);
  }

  received(data: Buffer): void {
    this.all.received(this, data);
  }

  gone(): void {
    this.all.gone(this);
  }
}

export class HeldSockets {
  private readonly main: Duplex;
  private readonly clock: Pick<Clock, 'setTimer'>;
  private readonly server = new WebSocketServer({ ...GATEWAY_SOCKETS, noServer: true });
  private readonly sockets = new Map<number, HeldSocket>();
  /** The highest number of a socket that has come. They come in the order of their numbers, but not with the batches. */
  private newest = 0;
  /** What was said of sockets that have yet to come. */
  private readonly early = new Map<number, ((socket: HeldSocket) => void)[]>();
  private readonly out = new BatchWriter();
  private scheduled = false;
  /** Batches that have been carried out, of which the main process has yet to hear. */
  private done = 0;
  /** Sockets in which bytes wait, and those that were ended by it. */
  private readonly slow = new Set<HeldSocket>();
  private looking = false;
  /** Sockets that are not read until the main process has read what others sent. */
  private readonly heldUp = new Set<HeldSocket>();

  /** @param main the stream of batches from and to the main process */
  constructor(main: Duplex, clock: Pick<Clock, 'setTimer'>) {
    this.main = main;
    this.clock = clock;
    const batches = new Batches((batch) => this.carryOut(batch));
    main.on('data', (chunk: Buffer) => batches.add(chunk));
    main.on('drain', () => {
      for (const socket of this.heldUp) if (!socket.paused) socket.link.resume();
      this.heldUp.clear();
    });
  }

  /** @param socket absent when it was gone before it came */
  take({ id, headers, head }: Handover, socket: Socket | undefined): void {
    this.newest = id;
    this.say(From.arrived, id);
    const early = this.early.get(id) ?? [];
    // Those before it that have not come were lost on the way.
    for (const each of this.early.keys()) {
      if (each > id) break;
      this.early.delete(each);
    }
    if (socket === undefined) {
      this.say(From.gone, id);
      return;
    }
    let held: HeldSocket | undefined;
    const endedEarly = (): void => {
      if (held === undefined) this.say(From.gone, id);
    };
    socket.on('close', endedEarly);
    const request = { method: 'GET', url: '/gateway', headers } as unknown as IncomingMessage;
    this.server.handleUpgrade(request, socket, Buffer.from(head, 'base64'), (ws) => {
      socket.off('close', endedEarly);
      held = new HeldSocket(id, (ws as unknown as GatewaySocket).over(socket), this);
      this.sockets.set(id, held);
      for (const each of early) each(held);
    });
  }

  received(socket: HeldSocket, data: Buffer): void {
    this.say(From.received, socket.id);
    this.out.blob(data);
    if (!this.main.writableNeedDrain) return;
    socket.link.pause();
    this.heldUp.add(socket);
  }

  gone(socket: HeldSocket): void {
    this.sockets.delete(socket.id);
    this.slow.delete(socket);
    this.heldUp.delete(socket);
    this.say(From.gone, socket.id);
  }

  private carryOut(batch: BatchReader): void {
    const frames: Frames[] = [];
    while (!batch.isAtEnd) {
      const kind = batch.kind();
      const id = batch.id();
      if (kind === To.frames) frames[id] = { bytes: batch.blob() };
      else if (kind === To.write) {
        const some = frames[batch.number()]!;
        const socket = this.sockets.get(id);
        if (socket !== undefined) this.write(socket, some);
        else this.with(id, (late) => this.write(late, some));
      } else this.with(id, this.read(kind, batch));
    }
    this.done += 1;
    this.schedule();
  }

  /** What an entry asks for that is no write. */
  private read(kind: number, batch: BatchReader): (socket: HeldSocket) => void {
    switch (kind) {
      case To.close: {
        const [code, reason] = [batch.number(), batch.blob().toString()];
        return ({ link }) => link.close(code, reason);
      }
      case To.destroySoon:
        return ({ link }) => link.destroySoon();
      case To.terminate:
        return ({ link }) => link.terminate();
      case To.pause:
        return (socket) => {
          socket.paused = true;
          socket.link.pause();
        };
      case To.resume:
        return (socket) => {
          socket.paused = false;
          if (!this.heldUp.has(socket)) socket.link.resume();
        };
      case To.takeLongFrames:
        return ({ link }) => link.takeLongFrames();
      case To.compress: {
        const [compression, remembers] = [COMPRESSIONS[batch.number()]!, batch.number() === 1];
        return ({ link }) => link.compress(compression, remembers);
      }
      case To.ping:
        return ({ id, link }) => {
          link.onceRead(() => this.say(From.pong, id));
        };
      default:
        throw new Error(`an entry of the unknown kind ${kind}`);
    }
  }

  private with(id: number, act: (socket: HeldSocket) => void): void {
    const socket = this.sockets.get(id);
    if (socket !== undefined) act(socket);
    // Otherwise it is gone.
    else if (id > this.newest) {
      const early = this.early.get(id);
      if (early === undefined) this.early.set(id, [act]);
      else early.push(act);
    }
  }

  private write(socket: HeldSocket, frames: Frames): void {
    const { outlet } = socket.link;
    if (!outlet.writable) return;
    if (outlet.writableLength === 0) outlet.write(frames.bytes);
    else {
      // What waits behind others would keep its whole batch in memory.
      frames.copy ??= Buffer.from(frames.bytes);
      outlet.write(frames.copy);
    }
    if (outlet.writableLength > 0) this.slow.add(socket);
  }

  private say(kind: number, id: number): void {
    this.out.entry(kind, id);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.post);
  }

  private readonly post = (): void => {
    this.scheduled = false;
    this.tellSlow();
    if (this.done > 0) {
      this.out.entry(From.done, this.done);
      this.done = 0;
    }
    if (!this.out.isEmpty) this.out.send(this.main);
  };

  private tellSlow(): void {
    for (const socket of this.slow) {
      const waiting = Math.min(MOST, socket.link.outlet.writableLength);
      if (waiting === 0) this.slow.delete(socket);
      if (waiting === socket.told) continue;
      socket.told = waiting;
      this.out.entry(From.waiting, socket.id);
      this.out.number(waiting);
    }
    if (this.slow.size === 0 || this.looking) return;
    this.looking = true;
    this.clock.setTimer(LOOK_MS, () => {
      this.looking = false;
      this.post();
    });
  }
}
