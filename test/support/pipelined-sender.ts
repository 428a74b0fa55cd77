/** Sends without waiting for answers and, after a cut, repeats what was not acknowledged. */

import { randomUUID } from 'node:crypto';
import type { Account } from './api.ts';
import { type CommandResult, type Frame, GatewayClient, type Session } from './gateway-client.ts';

export interface Acknowledged {
  readonly content: string;
  readonly messageId: string;
  readonly sequence: number;
}

export interface SenderOptions {
  /** Gateways, taken in turn. Commands that one did not answer are repeated to the next. */
  readonly bases: readonly string[];
  readonly account: Account;
  readonly channelId: string;
  /** The most unanswered commands. */
  readonly window: number;
  /** Milliseconds between refills of the window. Default: it is refilled at every answer. */
  readonly everyMs?: number;
  /** Sends a command again, under its own id, when the answer says when to. Default: that counts as refused. */
  readonly repeats?: boolean;
  /** Text of the n-th message, from 1. Each differs. */
  readonly words?: (n: number) => string;
  readonly onAcknowledged: () => void;
}

/** Longer than any test: the server may take its time until the sender is stopped. */
const ENDLESS_MS = 600_000;

export class PipelinedSender {
  /** By command id. */
  readonly acknowledged = new Map<string, Acknowledged>();
  readonly refused: CommandResult[] = [];
  /** The highest acknowledged position. */
  lastSequence = 0;
  /** Must stay empty: sessions that the server did not resume. */
  invalidSessions = 0;
  readonly channelId: string;
  readonly account: Account;
  readonly #options: SenderOptions;
  readonly #unanswered = new Map<string, string>();
  #client: GatewayClient | undefined;
  #session: Session | undefined;
  #connections = 0;
  #said = 0;
  #stopping = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.channelId = options.channelId;
    this.account = options.account;
  }

  /** Sends until stopped. Resolves when it is stopped and everything sent is acknowledged. */
  async run(): Promise<void> {
    const { everyMs } = this.#options;
    const filling = everyMs === undefined ? undefined : setInterval(() => this.#fill(), everyMs);
    try {
      while (!this.#finished()) await this.#converse();
    } finally {
      clearInterval(filling);
    }
    await this.#client?.cut();
  }

  /** Sends nothing new. */
  stop(): void {
    this.#stopping = true;
    // Wakes a sender that has nothing left to wait for.
    this.#client?.write(1, this.#client.seq);
  }

  /** Gives up on unanswered commands, for when no server will answer any more. */
  abandon(): void {
    this.#stopping = true;
    this.#unanswered.clear();
    this.#client?.socket.terminate();
  }

  /** Runs until the connection ends. */
  async #converse(): Promise<void> {
    const { bases } = this.#options;
    const base = bases[this.#connections % bases.length]!;
    this.#connections += 1;
    let client: GatewayClient | undefined;
    try {
      client = await GatewayClient.connect(base, (frame) => this.#take(frame));
      this.#client = client;
      await this.#begin(client);
      for (const [id, content] of this.#unanswered) this.#write(id, content);
      if (this.#options.everyMs === undefined) this.#fill();
      await client.until(() => this.#finished(), 'the last acknowledgement', ENDLESS_MS);
    } catch (error) {
      // The server died: the front holds the next connection until there is another.
      if (client !== undefined && client.closeCode === undefined) throw error;
    } finally {
      // A session without a position cannot be resumed.
      if (client?.sessionId !== undefined && client.seq > 0) this.#session = client.session();
    }
  }

  /** Resumes the session when there is one, as a library does. */
  async #begin(client: GatewayClient): Promise<void> {
    if (this.#session !== undefined) {
      client.seq = this.#session.seq;
      client.sessionId = this.#session.session_id;
      client.resume(this.account.token, this.#session);
      await client.until((frames) => frames.some(({ t, op }) => t === 'RESUMED' || op === 9), 'RESUMED');
      if (client.dispatches('RESUMED').length > 0) return;
      this.invalidSessions += 1;
      this.#session = undefined;
    }
    client.identify(this.account.token, 0);
    await client.dispatch('READY');
  }

  #finished(): boolean {
    return this.#stopping && this.#unanswered.size === 0;
  }

  #write(id: string, content: string): void {
    this.#client?.write(100, { id, type: 'message.send', channel_id: this.channelId, content });
  }

  #fill(): void {
    while (!this.#stopping && this.#unanswered.size < this.#options.window) {
      const id = randomUUID();
      this.#said += 1;
      const content = this.#options.words?.(this.#said) ?? `${this.account.username} says ${this.#said}`;
      this.#unanswered.set(id, content);
      this.#write(id, content);
    }
  }

  #take(frame: Frame): void {
    if (frame.op !== 101) return;
    const result = frame.d as CommandResult;
    const content = this.#unanswered.get(result.id);
    if (content === undefined) return;
    const { error } = result;
    if (this.#options.repeats && error?.retry_after !== undefined) {
      setTimeout(() => {
        if (this.#unanswered.has(result.id)) this.#write(result.id, content);
      }, 1000 * error.retry_after);
      return;
    }
    this.#unanswered.delete(result.id);
    if (result.ok) {
      this.acknowledged.set(result.id, { content, messageId: result.result.id, sequence: result.sequence! });
      this.lastSequence = Math.max(this.lastSequence, result.sequence!);
      this.#options.onAcknowledged();
    } else this.refused.push(result);
    if (this.#options.everyMs === undefined) this.#fill();
  }
}
