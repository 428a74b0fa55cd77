/** Pages of the log that several partitions read, with the events that cannot be read set apart. */

import { isFull, type LogReader, type Page, pageOrUnreadable } from '../../log/port.ts';
import { decodeStored, type ParleyEvent, UnreadableEvent } from '../../schemas/events/catalogue.ts';

const PAGE = 1000;
/** Pages kept for partitions that are a little behind. */
const KEPT = 8;

interface ReadPage extends Page {
  readonly unreadable: readonly UnreadableEvent[];
  /** False at the end of the log. */
  readonly isFull: boolean;
}

/** Shares reads of the log between partitions that need the same pages, as when all of them start from scratch. */
export class LogPages {
  private readonly log: LogReader;
  private readonly pages = new Map<number, Promise<ReadPage>>();

  constructor(log: LogReader) {
    this.log = log;
  }

  after(position: number): Promise<ReadPage> {
    const known = this.pages.get(position);
    if (known !== undefined) return known;
    const page = this.read(position);
    this.pages.set(position, page);
    if (this.pages.size > KEPT) this.pages.delete(this.pages.keys().next().value!);
    // A failure or the end of the log, which moves on, is of no use to later readers.
    const forget = () => {
      if (this.pages.get(position) === page) this.pages.delete(position);
    };
    page.then(({ isFull }) => {
      if (!isFull) forget();
    }, forget);
    return page;
  }

  private async read(after: number): Promise<ReadPage> {
    const page = await pageOrUnreadable((limit) => this.log.rawAll({ after, limit }), PAGE);
    const { events: stored, through } = page;
    if ('unreadable' in page) return { events: [], unreadable: [page.unreadable], through, isFull: true };
    const events: ParleyEvent[] = [];
    const unreadable: UnreadableEvent[] = [];
    for (const event of stored) {
      try {
        events.push(decodeStored(event));
      } catch (failure) {
        if (!(failure instanceof UnreadableEvent)) throw failure;
        unreadable.push(failure);
      }
    }
    return { events, unreadable, through, isFull: isFull(stored, PAGE) };
  }
}
