/** Reading the log for several partitions that want the same of it, as when all of them begin anew. */
import type { LogReader, Page } from '../../log/port.ts';

const PAGE = 1000;
/** Pages kept for the partitions that come a little later. */
const KEPT = 8;

export class LogPages {
  private readonly log: LogReader;
  private readonly pages = new Map<number, Promise<Page>>();

  constructor(log: LogReader) {
    this.log = log;
  }

  after(position: number): Promise<Page> {
    const known = this.pages.get(position);
    if (known !== undefined) return known;
    const page = this.log.readAll({ after: position, limit: PAGE });
    this.pages.set(position, page);
    if (this.pages.size > KEPT) this.pages.delete(this.pages.keys().next().value!);
    // Neither a failure nor the end of the log, which moves on, is of use to those who come later.
    const forget = () => {
      if (this.pages.get(position) === page) this.pages.delete(position);
    };
    page.then(({ events }) => {
      if (events.length < PAGE) forget();
    }, forget);
    return page;
  }
}
