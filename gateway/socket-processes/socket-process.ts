/** The main process's side of one socket process. */

import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { Batches, type BatchReader, BatchWriter } from './batch.ts';
import { From, type Handover, IS_UP, STREAM_FD, To, type Usage } from './entries.ts';
import { type HoldingProcess, ProcessLink } from './process-link.ts';

/**
 * Batches that may be under way when the next one is written. With one more than is being carried out, the process
 * always has work; with many, frames would leave one by one that could share a write.
 */
const UNDER_WAY = 2;

/** What Node keeps in a socket and has no other name for. */
interface SocketInside extends Socket {
  readonly _handle?: { readStop(): void } | null;
  server?: unknown;
}

export class SocketProcess implements HoldingProcess {
  private readonly child: ChildProcess;
  private readonly stream: Duplex;
  private readonly links = new Map<number, ProcessLink>();
  /** Sockets that it has yet to take. This process would close them if it ended, which it cannot do itself. */
  private readonly underWay = new Map<number, Socket>();
  private readonly out = new BatchWriter();
  /** The places of frames in the batch. */
  private readonly frames = new Map<Buffer, number>();
  private lastFrames: Buffer | undefined;
  private lastPlace = 0;
  private scheduled = false;
  private ids = 0;
  private sent = 0;
  private readonly held: (() => void)[] = [];
  private ended = false;
  /** It can take sockets. */
  isUp = false;
  done = 0;
  readonly awaited = new Set<ProcessLink>();

  /**
   * @param program its script
   * @param told.ended called once when it has ended and its sockets are gone, with the reason
   * @throws where there is no memory for another
   */
  constructor(program: string, told: { ended(why: object): void; usage(usage: Usage): void }) {
    const end = (why: object): void => {
      if (this.ended) return;
      this.end();
      told.ended(why);
    };
    // It reads what strangers send, and needs none of the secrets that the environment holds.
    const { NODE_OPTIONS } = process.env;
    this.child = fork(program, [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'],
      env: NODE_OPTIONS === undefined ? {} : { NODE_OPTIONS },
    });
    // Without descriptors left there are no streams, and it cannot start either.
    this.stream = (this.child.stdio?.[STREAM_FD] as unknown as Duplex | undefined) ?? new PassThrough();
    const batches = new Batches((batch) => this.hear(batch));
    this.stream.on('data', (chunk: Buffer) => batches.add(chunk));
    this.stream.on('error', () => {});
    this.child.on('error', (error) => {
      // It did not start. All other failures end it.
      if (this.child.pid === undefined) end({ err: error });
    });
    this.child.on('message', (said) => {
      if (said === IS_UP) this.isUp = true;
      else if (!this.ended) told.usage(said as Usage);
    });
    this.child.once('exit', (code, signal) => end({ code, signal }));
  }

  get sockets(): number {
    return this.links.size;
  }

  get current(): number {
    return this.sent + 1;
  }

  /** Whether it has something to do, and the number of what it did last. */
  get progress(): { readonly busy: boolean; readonly done: number } {
    return { busy: this.sent > this.done, done: this.done };
  }

  /** Hands a socket over. Must not be called before it is up. */
  take(socket: Socket, handover: Omit<Handover, 'id'>): ProcessLink {
    this.ids += 1;
    const id = this.ids;
    const link = new ProcessLink(this, id);
    this.links.set(id, link);
    this.underWay.set(id, socket);
    const inside = socket as SocketInside;
    // Node closes it here only when it has arrived there. Until then it would go on reading, and drop what it reads.
    inside._handle?.readStop();
    // Otherwise Node would keep count of the sockets in the process, for a server that closes only after them.
    inside.server = undefined;
    this.child.send({ id, ...handover } satisfies Handover, socket, (failure) => {
      if (failure !== null) this.discard(id);
    });
    return link;
  }

  say(kind: number, id: number): BatchWriter {
    this.schedule();
    this.out.entry(kind, id);
    return this.out;
  }

  terminate(id: number): void {
    this.say(To.terminate, id);
    setImmediate(() => this.discard(id));
  }

  write(id: number, frames: Buffer): void {
    if (frames !== this.lastFrames) this.place(frames);
    this.say(To.write, id).number(this.lastPlace);
  }

  soon(flush: () => void): void {
    if (this.ended || this.sent - this.done < UNDER_WAY) setImmediate(flush);
    else this.held.push(flush);
  }

  flushed(): void {
    if (!this.out.isEmpty && !this.ended) this.post();
  }

  /** Gives it something to do that it cannot fail at, so that `progress` shows whether it runs. */
  prod(): void {
    if (!this.ended) this.post();
  }

  /** Ends it, and its sockets with it. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Resolves when it has ended, after what it was told. */
  async close(): Promise<void> {
    if (this.ended) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.flushed();
    this.stream.end();
    await gone;
  }

  private post(): void {
    this.sent += 1;
    this.out.send(this.stream);
    this.frames.clear();
    this.lastFrames = undefined;
  }

  private place(frames: Buffer): void {
    let place = this.frames.get(frames);
    if (place === undefined) {
      place = this.frames.size;
      this.frames.set(frames, place);
      this.say(To.frames, place).blob(frames);
    }
    this.lastFrames = frames;
    this.lastPlace = place;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flushed();
    });
  }

  private hear(batch: BatchReader): void {
    while (!batch.isAtEnd) {
      const kind = batch.kind();
      const id = batch.id();
      switch (kind) {
        case From.received: {
          const data = batch.blob();
          this.links.get(id)?.received(data);
          break;
        }
        case From.arrived:
          this.arrived(id);
          break;
        case From.gone:
          this.lose(id);
          break;
        case From.waiting: {
          const bytes = batch.number();
          this.links.get(id)?.waits(bytes);
          break;
        }
        case From.pong:
          this.links.get(id)?.answered();
          break;
        case From.done:
          this.done += id;
          for (const flush of this.held.splice(0)) setImmediate(flush);
      }
    }
    for (const link of this.awaited) link.tellIfDrained();
  }

  /** They arrive in order. One that is overtaken was lost, as where the process may open no more of them. */
  private arrived(id: number): void {
    for (const [each, socket] of this.underWay) {
      if (each > id) return;
      if (each < id) this.discard(each);
      else {
        // What is left of it here.
        socket.destroy();
        this.underWay.delete(id);
      }
    }
  }

  private discard(id: number): void {
    this.underWay.get(id)?.destroy();
    this.underWay.delete(id);
    this.lose(id);
  }

  private lose(id: number): void {
    const link = this.links.get(id);
    this.links.delete(id);
    link?.gone();
  }

  private end(): void {
    this.ended = true;
    this.isUp = false;
    for (const socket of this.underWay.values()) socket.destroy();
    this.underWay.clear();
    for (const id of [...this.links.keys()]) this.lose(id);
    for (const flush of this.held.splice(0)) setImmediate(flush);
  }
}
