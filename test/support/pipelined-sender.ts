/** Somebody who sends without waiting for answers and, after a cut, says again what was not acknowledged. */
import { randomUUID } from 'node:crypto';
import type { Account } from './api.ts';
import { type CommandResult, type Frame, GatewayClient } from './gateway-client.ts';

export interface Acknowledged {
  readonly content: string;
  readonly messageId: string;
  readonly sequence: number;
}

export class PipelinedSender {
  /** By command id. */
  readonly acknowledged = new Map<string, Acknowledged>();
  readonly refused: CommandResult[] = [];
  readonly #unanswered = new Map<string, string>();
  readonly #base: string;
  readonly #account: Account;
  readonly #channelId: string;
  readonly #window: number;
  readonly #onAcknowledged: () => void;
  #client: GatewayClient | undefined;
  #said = 0;
  #stopping = false;

  /** @param window most commands without an answer */
  constructor(base: string, account: Account, channelId: string, window: number, onAcknowledged: () => void) {
    this.#base = base;
    this.#account = account;
    this.#channelId = channelId;
    this.#window = window;
    this.#onAcknowledged = onAcknowledged;
  }

  /** Sends until stopped. Resolves when it was stopped and everything sent is acknowledged. */
  async run(): Promise<void> {
    while (!this.#finished()) {
      try {
        this.#client = await GatewayClient.connect(this.#base, (frame) => this.#take(frame));
        this.#client.identify(this.#account.token, 0);
        await this.#client.dispatch('READY');
        for (const [id, content] of this.#unanswered) this.#write(id, content);
        this.#fill();
        await this.#client.until(() => this.#finished(), 'the last acknowledgement', 60_000);
      } catch (error) {
        // The server died under it: the front holds the next connection until there is another.
        if (this.#client?.closeCode === undefined && this.#client !== undefined) throw error;
      }
    }
    await this.#client?.cut();
  }

  /** Says nothing new. */
  stop(): void {
    this.#stopping = true;
    // Wakes a sender that has nothing left to wait for.
    this.#client?.write(1, this.#client.seq);
  }

  #finished(): boolean {
    return this.#stopping && this.#unanswered.size === 0;
  }

  #write(id: string, content: string): void {
    this.#client!.write(100, { id, type: 'message.send', channel_id: this.#channelId, content });
  }

  #fill(): void {
    while (!this.#stopping && this.#unanswered.size < this.#window) {
      const id = randomUUID();
      this.#said += 1;
      const content = `${this.#account.username} says ${this.#said}`;
      this.#unanswered.set(id, content);
      this.#write(id, content);
    }
  }

  #take(frame: Frame): void {
    if (frame.op !== 101) return;
    const result = frame.d as CommandResult;
    const content = this.#unanswered.get(result.id);
    if (content === undefined) return;
    this.#unanswered.delete(result.id);
    if (result.ok) {
      this.acknowledged.set(result.id, { content, messageId: result.result.id, sequence: result.sequence! });
      this.#onAcknowledged();
    } else this.refused.push(result);
    this.#fill();
  }
}
