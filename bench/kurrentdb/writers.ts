/** Writers that each append to a new stream of their own, and wait for each answer before the next append. */

import { either } from 'fp-ts';
import { snowflakeAt } from '../../domain/snowflake.ts';
import type { EventLog } from '../../log/port.ts';
import { channelStream } from '../../schemas/streams.ts';
import { posted } from '../support/appenders.ts';

export interface Load {
  readonly streams: number;
  /** Events in one append. */
  readonly each: number;
}

const begun = Date.now();
let streams = 0;

/** A server keeps the streams of earlier runs. */
const newStream = (): string => {
  streams += 1;
  return channelStream(snowflakeAt(begun, BigInt(streams)));
};

/**
 * @param goesOn asked before each append, with the number of appends that the writer has made
 * @param onAcknowledged hears the last event of each append
 * @returns appends a second
 */
export const write = async (
  log: EventLog,
  { streams, each }: Load,
  goesOn: (done: number) => boolean,
  onAcknowledged: (stream: string, sequence: number, position: number) => void = () => {},
): Promise<number> => {
  let appends = 0;
  const writer = async (): Promise<void> => {
    const stream = newStream();
    for (let done = 0; goesOn(done); done += 1) {
      const expected = done * each;
      const events = Array.from({ length: each }, (_, i) => posted(stream, expected + i + 1));
      const answer = await log.append({ stream, expected, events });
      if (either.isLeft(answer)) throw new Error(`The log refused: ${JSON.stringify(answer.left)}`);
      const { sequence, position } = answer.right.at(-1)!;
      onAcknowledged(stream, sequence, position);
      appends += 1;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: streams }, writer));
  return (appends * 1_000) / (performance.now() - start);
};

/** For `goesOn`. */
export const until = (ms: number): (() => boolean) => {
  const end = performance.now() + ms;
  return () => performance.now() < end;
};
