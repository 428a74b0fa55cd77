/** A socket that speaks the protocol by hand, so that tests see every frame and choose every answer. */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { Watched } from './watched.ts';

/** Guilds, guild messages, reactions and typing, direct messages and their reactions and typing, message content. */
export const ALL_INTENTS = (1 << 0) | (1 << 9) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 15);

/** The content of a frame. Tests look into it and assert what they expect. */
// biome-ignore lint/suspicious/noExplicitAny: a type here would only repeat, unchecked, what the tests assert
export type Payload = any;

export interface Frame {
  readonly op: number;
  readonly d: Payload;
  readonly s: number | null;
  readonly t: string | null;
}

export interface CommandResult {
  readonly id: string;
  readonly ok: boolean;
  readonly position?: number;
  readonly stream?: string;
  readonly sequence?: number;
  readonly result?: Payload;
  readonly error?: { readonly code: number; readonly message: string; readonly retry_after?: number };
}

export interface Session {
  readonly session_id: string;
  readonly seq: number;
}

/** Codes after which Discord's libraries identify again or stop. After any other they resume. */
export const NOT_RESUMABLE: ReadonlySet<number> = new Set([
  1000, 4003, 4004, 4005, 4007, 4008, 4010, 4011, 4012, 4013, 4014,
]);

export class GatewayClient {
  /** Every frame received, in order. */
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  closeCode: number | undefined;
  sessionId: string | undefined;
  /** The last `s` received that was a number. */
  seq = 0;
  readonly #watched = new Watched();
  readonly #results = new Map<string, (result: CommandResult) => void>();
  readonly #onFrame: (frame: Frame) => void;
  #heart: NodeJS.Timeout | undefined;

  private constructor(socket: WebSocket, onFrame: (frame: Frame) => void, textOf: (data: Buffer) => string) {
    this.socket = socket;
    this.#onFrame = onFrame;
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(textOf(data)) as Frame));
    socket.on('error', () => {});
    socket.on('close', (code) => {
      clearInterval(this.#heart);
      this.closeCode = code;
      this.#watched.changed();
    });
  }

  /**
   * Resolves after the Hello.
   * @param base `http://127.0.0.1:<port>`
   * @param onFrame called with every frame as it arrives
   * @param path what it connects to, and how it reads what it is sent there
   */
  static async connect(
    base: string,
    onFrame: (frame: Frame) => void = () => {},
    path = '/gateway?v=10&encoding=json',
    textOf: (data: Buffer) => string = String,
  ): Promise<GatewayClient> {
    const socket = new WebSocket(`${base.replace('http', 'ws')}${path}`);
    const client = new GatewayClient(socket, onFrame, textOf);
    await once(socket, 'open');
    await client.until((frames) => frames.some((frame) => frame.op === 10), 'Hello');
    return client;
  }

  /** Connects, identifies and waits for READY and every guild it names. */
  static async identified(base: string, token: string, intents = ALL_INTENTS): Promise<GatewayClient> {
    const client = await GatewayClient.connect(base);
    client.identify(token, intents);
    const ready = await client.dispatch('READY');
    await client.until(
      (frames) => frames.filter((frame) => frame.t === 'GUILD_CREATE').length >= ready.d.guilds.length,
      'a GUILD_CREATE for every guild of READY',
    );
    return client;
  }

  /** Connects and resumes; resolves after RESUMED. */
  static async resumed(base: string, token: string, session: Session): Promise<GatewayClient> {
    const client = await GatewayClient.connect(base);
    client.seq = session.seq;
    client.sessionId = session.session_id;
    client.resume(token, session);
    await client.dispatch('RESUMED');
    return client;
  }

  identify(token: string, intents = ALL_INTENTS): void {
    this.write(2, { token, intents, properties: { os: 'linux', browser: 'parley-test', device: 'parley-test' } });
  }

  /** Heartbeats acknowledged so far. */
  get acks(): number {
    return this.frames.filter((frame) => frame.op === 11).length;
  }

  resume(token: string, session: Session): void {
    this.write(6, { token, ...session });
  }

  write(op: number, d: unknown): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ op, d }));
  }

  /** Sends a command and resolves with its result. It never resolves when the socket closes first. */
  command(body: {
    readonly type: string;
    readonly id?: string;
    readonly [field: string]: unknown;
  }): Promise<CommandResult> {
    const id = body.id ?? randomUUID();
    return new Promise((resolve) => {
      this.#results.set(id, resolve);
      this.write(100, { ...body, id });
    });
  }

  /** @throws when the condition does not hold within `timeoutMs`, or the socket closes before it does */
  async until(holds: (frames: readonly Frame[]) => boolean, what: string, timeoutMs = 15_000): Promise<void> {
    const seen = () =>
      this.frames
        .map((frame) => frame.t ?? `op ${frame.op}`)
        .slice(-20)
        .join(', ');
    const problem = () => `${what}; close code ${this.closeCode}, last frames: ${seen()}`;
    await this.#watched.until(() => holds(this.frames) || this.closeCode !== undefined, problem, timeoutMs);
    if (!holds(this.frames)) throw new Error(`the socket closed before ${problem()}`);
  }

  /** The first matching dispatch of this type; waits for it when necessary. */
  async dispatch(type: string, fits: (d: Payload) => boolean = () => true, timeoutMs?: number): Promise<Frame> {
    const find = () => this.frames.find((frame) => frame.t === type && fits(frame.d));
    await this.until(() => find() !== undefined, type, timeoutMs);
    return find()!;
  }

  dispatches(...types: readonly string[]): Frame[] {
    return this.frames.filter((frame) => frame.t !== null && types.includes(frame.t));
  }

  /** Where a resume continues. */
  session(): Session {
    if (this.sessionId === undefined) throw new Error('there is no session yet');
    return { session_id: this.sessionId, seq: this.seq };
  }

  async closed(timeoutMs?: number): Promise<number> {
    await this.until(() => this.closeCode !== undefined, 'the close', timeoutMs);
    return this.closeCode!;
  }

  /** Ends the connection without a closing handshake, like a lost network. */
  async cut(): Promise<void> {
    this.socket.terminate();
    await this.closed();
  }

  #take(frame: Frame): void {
    this.frames.push(frame);
    if (typeof frame.s === 'number') this.seq = frame.s;
    if (frame.t === 'READY') this.sessionId = frame.d.session_id;
    if (frame.op === 10) {
      const beat = () => this.write(1, this.seq);
      this.#heart = setInterval(beat, frame.d.heartbeat_interval).unref();
    }
    if (frame.op === 1) this.write(1, this.seq);
    if (frame.op === 101) {
      this.#results.get(frame.d.id)?.(frame.d);
      this.#results.delete(frame.d.id);
    }
    this.#onFrame(frame);
    this.#watched.changed();
  }
}
