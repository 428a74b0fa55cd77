/** Somebody who only listens, and resumes whenever the connection is lost. */
import type { Account } from './api.ts';
import { type Frame, GatewayClient, type Session } from './gateway-client.ts';

export interface Heard {
  readonly id: string;
  readonly channelId: string;
  readonly sequence: number;
  readonly ordinal: number;
}

export class Subscriber {
  readonly messages: Heard[] = [];
  /** Highest sequence heard of each channel. */
  readonly reached = new Map<string, number>();
  /** Numbers `s` in the order they came. */
  readonly positions: number[] = [];
  resumes = 0;
  /** What must not happen: sessions the server did not take back. */
  invalidSessions = 0;
  readonly #bases: readonly string[];
  #connections = 0;
  readonly account: Account;
  readonly #onMessage: () => void;
  #client: GatewayClient | undefined;
  #listening = false;
  #session: Session | undefined;
  #stopped = false;

  /** @param bases one address, or several that are taken in turn: each resume then happens on another gateway */
  constructor(bases: string | readonly string[], account: Account, onMessage: () => void) {
    this.#bases = typeof bases === 'string' ? [bases] : bases;
    this.account = account;
    this.#onMessage = onMessage;
  }

  /** Resolves when the first READY, its guilds and their position have come; goes on listening until stopped. */
  async start(): Promise<void> {
    const client = await this.#connect();
    client.identify(this.account.token);
    const ready = await client.dispatch('READY');
    await client.until(() => client.dispatches('GUILD_CREATE').length >= ready.d.guilds.length, 'the guilds');
    // Before it has a position a session cannot be resumed.
    await client.until(() => client.seq > 0, 'the position of the snapshot');
    this.#listen(client);
  }

  /** Which of the addresses it is connected to, or was last. */
  get base(): string {
    return this.#bases[(this.#connections - 1) % this.#bases.length]!;
  }

  stop(): void {
    this.#stopped = true;
    this.#client?.socket.terminate();
  }

  async #connect(): Promise<GatewayClient> {
    const base = this.#bases[this.#connections % this.#bases.length]!;
    this.#connections += 1;
    this.#listening = false;
    const connection = this.#connections;
    const client = await GatewayClient.connect(base, (frame) => {
      if (connection === this.#connections) this.#take(frame);
      // What is listened to for minutes is not kept: it is written down by then.
      if (this.#listening) this.#client!.frames.length = 0;
    });
    this.#client = client;
    return client;
  }

  #listen(client: GatewayClient): void {
    this.#listening = true;
    if (client.closeCode === undefined) client.socket.once('close', () => this.#resume());
    else this.#resume();
  }

  async #resume(): Promise<void> {
    while (!this.#stopped) {
      try {
        const client = await this.#connect();
        client.seq = this.#session!.seq;
        client.resume(this.account.token, this.#session!);
        await client.until((frames) => frames.some(({ t, op }) => t === 'RESUMED' || op === 9), 'RESUMED');
        return this.#listen(client);
      } catch {
        // Lost again while resuming: what came until then counts, and the next attempt goes on from there.
        this.#client?.socket.terminate();
      }
    }
  }

  #take(frame: Frame): void {
    if (typeof frame.s === 'number') {
      this.positions.push(frame.s);
      this.#session = { session_id: this.#session?.session_id ?? '', seq: frame.s };
    }
    if (frame.t === 'READY') this.#session = { session_id: frame.d.session_id, seq: frame.s ?? 0 };
    if (frame.t === 'RESUMED') this.resumes += 1;
    if (frame.op === 9) this.invalidSessions += 1;
    if (frame.t === 'MESSAGE_CREATE') {
      const { id, channel_id: channelId, sequence, ordinal } = frame.d;
      this.messages.push({ id, channelId, sequence, ordinal });
      this.reached.set(channelId, sequence);
      this.#onMessage();
    }
  }
}
