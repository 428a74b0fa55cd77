/** What connections to KurrentDB (EventStoreDB) have in common. */

/** How long a server may take, in milliseconds. */
export interface Patience {
  /** For one answer to one append. After that its outcome is unknown and it is retried. */
  readonly answerMs: number;
  /** From an append to its answer, whatever happens meanwhile. After that its writer must try again. */
  readonly triedMs: number;
  /** Between two items of a read. After that the server counts as gone. */
  readonly silenceMs: number;
}

/**
 * The URL in the client's form. Of several nodes it prefers the leader, the only one sure to hold all acknowledged
 * events.
 * @param url `esdb://` or `kurrentdb://`, with `+discover` for clusters, credentials and parameters
 */
export const connectionStringOf = (url: string): string => {
  const known = url.replace(/^kurrentdb(?=(\+discover)?:)/, 'esdb');
  if (/[?&]nodePreference=/i.test(known)) return known;
  return `${known}${known.includes('?') ? '&' : '?'}nodePreference=leader`;
};
