/** Events of other programs, in streams of their own: readers leave them out. */

import { type AnyRecorded, isForeign, positionOf } from './events.ts';

export interface ForeignOptions {
  /** Called for each, however many readers meet it. */
  readonly onForeign?: (() => void) | undefined;
  readonly logger?: { warn(fields: object, message: string): void } | undefined;
}

export class ForeignEvents {
  private readonly options: ForeignOptions;
  private isTold = false;
  /** Position up to which they are counted. */
  private counted = 0;

  constructor(options: ForeignOptions) {
    this.options = options;
  }

  /** A reader has come to an event that is not ours. */
  passed(event: AnyRecorded): void {
    if (!isForeign(event)) return;
    const position = positionOf(event);
    if (position <= this.counted) return;
    this.counted = position;
    this.options.onForeign?.();
    if (this.isTold) return;
    this.isTold = true;
    this.options.logger?.warn(
      { stream: event.streamId, position },
      'another program writes to the KurrentDB of the event log; its events are left out, and it slows every reader down',
    );
  }
}
