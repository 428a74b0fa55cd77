/** Only listens, and resumes whenever the connection is lost. */
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
  /** The highest sequence heard in each channel. */
  readonly reached = new Map<string, number>();
  /** Every numeric `s`, in order of arrival. */
  readonly positions: number[] = [];
  resumes = 0;
  /** Must stay empty: sessions that the server did not resume. */
  invalidSessions = 0;
  readonly #bases: readonly string[];
  #connections = 0;
  readonly account: Account;
  readonly #onMessage: () => void;
  #client: GatewayClient | undefined;
  #listening = false;
  #session: Session | undefined;
  #stopped = false;

  /** @param bases one address, or several taken in turn, so that each resume uses another gateway */
  constructor(bases: string | readonly string[], account: Account, onMessage: () => void) {
    this.#bases = typeof bases === 'string' ? [bases] : bases;
    this.account = account;
    this.#onMessage = onMessage;
  }

  /** Resolves after the first READY, its guilds and their position. Goes on listening until stopped. */
  async start(): Promise<void> {
    const client = await this.#connect();
    client.identify(this.account.token);
    const ready = await client.dispatch('READY');
    await client.until(() => client.dispatches('GUILD_CREATE').length >= ready.d.guilds.length, 'the guilds');
    // A session without a position cannot be resumed.
    await client.until(() => client.seq > 0, 'the position of the snapshot');
    this.#listen(client);
  }

  /** The address it is connected to, or was last. */
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
      // Frames are not kept for minutes: everything needed is noted by now.
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
        // The connection broke during the resume. What arrived counts, and the next attempt continues from there.
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
