/** What this process hears: who is told of it, and how far that has got. */
import type { BatchListener, Progress } from '../../projections/port.ts';
import { Waiting } from '../../projections/runner/waiting.ts';
import type { ParleyEvent } from '../../schemas/events/index.ts';

export class Delivered implements Progress {
  private readonly listeners: BatchListener[] = [];
  private readonly waiting = new Waiting();
  private position = 0;

  /** Told in the order of registration, one after another. */
  onBatch(listener: BatchListener): void {
    this.listeners.push(listener);
  }

  readonly take: BatchListener = async (events: readonly ParleyEvent[], through: number) => {
    for (const listener of this.listeners) await listener(events, through);
    this.moveTo(through);
  };

  /** What lies at or below is nothing that would have to be heard. */
  moveTo(position: number): void {
    this.position = Math.max(this.position, position);
    this.waiting.reached(this.position);
  }

  checkpoint(): number {
    return this.position;
  }

  async whenProcessed(position: number, timeoutMs: number): Promise<boolean> {
    return this.position >= position || this.waiting.until(position, timeoutMs);
  }
}
