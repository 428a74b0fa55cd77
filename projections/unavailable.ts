/** A store of a read model that cannot be asked now. The HTTP edge answers 503 with `retry_after`. */
export class StoreUnavailable extends Error {
  /** Which one: `timelines`, `guild-views`, `unread`, ... */
  readonly store: string;
  /** Seconds. */
  readonly retryAfter: number;

  constructor(store: string, retryAfter: number, options?: ErrorOptions) {
    super(`${store} cannot be reached now`, options);
    this.store = store;
    this.retryAfter = retryAfter;
  }
}
