/** A log of messages by many people in many channels. */

import { either } from 'fp-ts';
import { SNOWFLAKE_EPOCH, snowflakeAt } from '../../domain/snowflake.ts';
import type { EventLog } from '../../log/port.ts';
import { channelStream } from '../../schemas/streams.ts';
import { posted } from './appenders.ts';

/** Events in one append, spread evenly over the channels. */
const TURN = 2_000;
const FIRST_CHANNEL = 1_000_000_000_000_000_000n;

const channelId = (channel: number): string => String(FIRST_CHANNEL + BigInt(channel));
/** Ids grow with the ordinals, as a channel's do. */
const messageId = (channel: number, ordinal: number): string => snowflakeAt(SNOWFLAKE_EPOCH + ordinal, BigInt(channel));

/** @param events a multiple of 2,000; 2,000 must be one of `channels` */
export const fillLog = async (log: EventLog, channels: number, events: number): Promise<void> => {
  const each = TURN / channels;
  for (let turn = 0; turn < events / TURN; turn += 1) {
    const appended = await Promise.all(
      Array.from({ length: channels }, (_, channel) => {
        const [stream, expected] = [channelStream(channelId(channel)), turn * each];
        const said = Array.from({ length: each }, (_, i) => {
          const ordinal = expected + i + 1;
          return posted(stream, ordinal, messageId(channel, ordinal));
        });
        return log.append({ stream, expected, events: said });
      }),
    );
    for (const answer of appended)
      if (either.isLeft(answer)) throw new Error(`The log refused: ${JSON.stringify(answer.left)}`);
  }
};

/** A listener that notifies nobody. */
export const silent = { debug: () => {}, warn: () => {}, error: () => {} };
