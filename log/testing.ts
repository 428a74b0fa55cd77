/** Helpers for specs of event logs. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { type NewParleyEvent, type ParleyEvent, versionOf } from '../schemas/events/catalogue.ts';
import { type AppendError, type Appended, type AppendRequest, type EventLog, isFull, type LogReader } from './port.ts';

/** A log that a spec may close and open again on the same data. */
export interface OpenedLog {
  readonly log: EventLog;
  reopen(): Promise<EventLog>;
  /** Closes the log and removes its data. */
  dispose(): Promise<void>;
}

const CHANNEL = '1000000000000000001';

/** A well-formed event; its data does not matter to the log. */
export const newEvent = (
  stream: string,
  sequence: number,
  type: 'message-deleted' | 'reaction-added' = 'message-deleted',
): NewParleyEvent => {
  const data = { messageId: CHANNEL, ordinal: sequence, author: CHANNEL };
  const envelope = {
    id: `${stream}/${sequence}`,
    schema: versionOf(type),
    stream,
    sequence,
    time: 1_700_000_000_000 + sequence,
    actor: CHANNEL,
    key: sequence % 2 === 0 ? `key-${sequence}` : null,
    correlationId: 'correlation',
    causationId: null,
    traceparent: null,
  };
  return type === 'message-deleted'
    ? { ...envelope, type, data: { ...data, guildId: null } }
    : { ...envelope, type, data: { ...data, userId: CHANNEL, emoji: '👍 ' } };
};

/** `count` events beyond sequence `expected`. */
export const batch = (
  stream: string,
  expected: number,
  count = 1,
  type?: 'message-deleted' | 'reaction-added',
): AppendRequest => ({
  stream,
  expected,
  events: Array.from({ length: count }, (_, i) => newEvent(stream, expected + i + 1, type)),
});

export const stored = (answer: Either<AppendError, Appended>): Appended => {
  if (either.isLeft(answer)) throw new Error(`not stored: ${JSON.stringify(answer.left)}`);
  return answer.right;
};

export const refusal = (answer: Either<AppendError, Appended>): AppendError => {
  if (either.isRight(answer)) throw new Error('stored, against expectation');
  return answer.left;
};

/** An answer with the events' own positions, since it may give all of a batch the position of its last. */
export const atOwnPositions = async (log: EventLog, appended: Appended): Promise<Appended> => {
  const { stream, sequence } = appended[0]!;
  const own = await log.readStream({ stream, from: sequence, limit: appended.length });
  return appended.map((event, i) => ({ ...event, position: own[i]!.position }));
};

/** All events of a stream, however large. */
export const wholeStream = async (
  log: Pick<LogReader, 'readStream'>,
  stream: string,
): Promise<readonly ParleyEvent[]> => {
  const limit = 10_000;
  const events: ParleyEvent[] = [];
  for (;;) {
    const page = await log.readStream({ stream, from: events.length + 1, limit });
    events.push(...page);
    if (!isFull(page, limit)) return events;
  }
};

export const positions = (events: readonly ParleyEvent[]): number[] => events.map(({ position }) => position);
export const sequences = (events: readonly ParleyEvent[]): number[] => events.map(({ sequence }) => sequence);
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** The log open for the running test, which changes when the test reopens it. */
export interface Fixture {
  readonly log: EventLog;
  readonly open: () => Promise<OpenedLog>;
  reopen(): Promise<EventLog>;
}

/** Collects what a tail delivers; `until(n)` resolves when it has delivered n events. */
export const collector = () => {
  const events: ParleyEvent[] = [];
  const sizes: number[] = [];
  let check = () => {};
  return {
    events,
    sizes,
    onEvents: async (some: readonly ParleyEvent[]) => {
      events.push(...some);
      sizes.push(some.length);
      check();
    },
    until: (count: number) =>
      new Promise<void>((resolve) => {
        check = () => {
          if (events.length >= count) resolve();
        };
        check();
      }),
  };
};

export const unexpected = (error: unknown) => {
  throw error;
};
