/** A store that cannot be asked now. Thrown by adapters; the edges answer 503 with `retry_after`. */
export class StoreUnavailable extends Error {
  /** Which one: `timelines`, `guild-views`, `unread`, `vault`, `log`. */
  readonly store: string;
  /** Seconds. */
  readonly retryAfter: number;

  constructor(store: string, retryAfter: number, options?: ErrorOptions) {
    super(`${store} cannot be reached now`, options);
    this.store = store;
    this.retryAfter = retryAfter;
  }
}
