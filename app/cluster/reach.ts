/** Waiting for servers at start: each that cannot be reached is named, with what is wrong and when it is tried again. */
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { StoreUnavailable } from '../../schemas/unavailable.ts';

const backoff = new ExponentialBackoff({ initialDelay: 250, maxDelay: 5000 });

/** Of systems (ECONNREFUSED), of PostgreSQL (08: connection, 53: too many, 57: starting, 3D: database not there yet). */
const CODES = /^(E[A-Z_]+|08...|3D...|53...|57...)$/;
const WORDS = /time.?out|timed out|terminated|connection/i;

const cameFromAway = (error: unknown): boolean => {
  if (error instanceof StoreUnavailable) return true;
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string };
  return typeof code === 'string'
    ? CODES.test(code)
    : name?.startsWith('KafkaJS') === true || WORDS.test(message ?? '');
};

const reasonOf = (error: unknown): string => {
  const first = error instanceof StoreUnavailable ? (error.cause ?? error) : error;
  const inner = first instanceof AggregateError ? first.errors[0] : first;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
};

export interface Place {
  /** What it is to an operator: `Redis`. */
  readonly name: string;
  readonly variable: string;
  readonly url: string;
}

/** Hosts of a URL; user and password stay secret. */
const hostsOf = (url: string): string =>
  url
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/^[^@/]*@/, '')
    .replace(/[/?].*$/, '');

export const waitingLine = ({ name, variable, url }: Place, reason: string, nextMs?: number): string =>
  `${name} (${variable}) cannot be reached at ${hostsOf(url)}: ${reason}. Parley waits for it and tries again${
    nextMs === undefined ? '' : ` in ${(nextMs / 1000).toFixed(1)} s`
  }.`;

/**
 * Tries until the server answers.
 * @param say told of every failed try
 * @throws at once what another try would meet again: credentials that are wrong, a store of a newer version
 */
export const reach = <T>(place: Place, open: () => Promise<T>, say: (line: string) => void): Promise<T> => {
  const policy = retry(handleWhen(cameFromAway), { maxAttempts: Number.MAX_SAFE_INTEGER, backoff });
  policy.onRetry((event) => {
    say(waitingLine(place, 'error' in event ? reasonOf(event.error) : 'no answer', event.delay));
  });
  return policy.execute(open);
};
