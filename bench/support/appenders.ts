/** Sixty-four writers at once. Each waits for its answer before it sends the next event. */

import { randomBytes } from 'node:crypto';
import { either } from 'fp-ts';
import type { EventLog } from '../../log/port.ts';
import { type NewParleyEvent, versionOf } from '../../schemas/events/catalogue.ts';
import { MessageType } from '../../schemas/events/channel.ts';
import { median } from '../bench.ts';

export const APPENDERS = 64;

export const USER = '1234567890123456789';

/** The sealed text of a short message. */
const box = randomBytes(72).toString('base64');

/** Its `data` is 316 bytes of JSON. */
export const posted = (stream: string, sequence: number, messageId = USER): NewParleyEvent => ({
  id: '6ba7b810-9dad-51d1-80b4-00c04fd430c8',
  type: 'message-posted',
  schema: versionOf('message-posted'),
  stream,
  sequence,
  time: 1_700_000_000_000 + sequence,
  actor: USER,
  key: `nonce-${sequence}`,
  correlationId: 'b7ad6b71-69203331',
  causationId: null,
  traceparent: null,
  data: {
    messageId,
    ordinal: sequence,
    author: USER,
    messageType: MessageType.default,
    replyTo: null,
    mentions: { users: [], everyone: false },
    flags: 0,
    nonce: null,
    sealed: { by: USER, box },
  },
});

/** @param done earlier turns of each appender */
export const appendTurns = async (log: EventLog, done: number, turns: number): Promise<void> => {
  const appender = async (stream: string) => {
    for (let expected = done; expected < done + turns; expected += 1) {
      const answer = await log.append({ stream, expected, events: [posted(stream, expected + 1)] });
      if (either.isLeft(answer)) throw new Error(`The log refused: ${JSON.stringify(answer.left)}`);
    }
  };
  await Promise.all(Array.from({ length: APPENDERS }, (_, i) => appender(`channel-${i}`)));
};

export interface AppendRates {
  readonly port: number;
  readonly raw: number;
  readonly ratio: number;
}

/** @param turns of all appenders, which the work stores */
export const eventsPerSecond = async (turns: number, work: () => void | Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return (APPENDERS * turns * 1_000) / (performance.now() - start);
};

/**
 * Rates are events a second, medians of alternating rounds. `ratio` is the median of the rounds' own ratios, because
 * the machine's other load changes from round to round. Both sides get the number of earlier turns.
 */
export const compareAppends = async (given: {
  readonly rounds: number;
  readonly turns: number;
  readonly port: (done: number) => Promise<void>;
  readonly raw: (done: number) => void | Promise<void>;
}): Promise<AppendRates> => {
  const { rounds, turns, port, raw } = given;
  const timed = (work: () => void | Promise<void>) => eventsPerSecond(turns, work);
  const rates: { port: number; raw: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const done = round * turns;
    const rawRate = await timed(() => raw(done));
    rates.push({ port: await timed(() => port(done)), raw: rawRate });
  }
  // The first round compiles the code.
  const measured = rates.slice(1);
  return {
    port: Math.round(median(measured.map((rate) => rate.port))),
    raw: Math.round(median(measured.map((rate) => rate.raw))),
    ratio: Number(median(measured.map((rate) => rate.port / rate.raw)).toFixed(2)),
  };
};
