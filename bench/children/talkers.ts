/** People who send over sockets, and people who listen. */

import { Watched } from '../../test/support/watched.ts';
import { quantile } from '../bench.ts';
import { kindOf, MiniSocket } from '../support/mini-socket.ts';

const INTENTS = (1 << 0) | (1 << 9) | (1 << 15);
const WARM_UP_MS = 1_500;
const TICK_MS = 2;
const TIMEOUT = 30_000;
const TEXT = 'a message of a usual length, which is about a hundred characters when people have something to say';
/** A message's number is between these. */
const MARK = '#';
const ID = `"id":"${process.pid}-`;

interface Talker {
  readonly channel: string;
  readonly socket: MiniSocket;
  unanswered: number;
}

const progress = new Watched();
const talkers: Talker[] = [];
let ready = 0;
let acknowledged = 0;
let refused = 0;
let sent = 0;
let delivered = 0;
let onAcknowledged: (talker: Talker, number: number) => void = () => {};
let onDelivered: (number: number) => void = () => {};
/** A dispatch as received, which a bare server sends to do the same work. */
let lastFrame = '';
let listening = 0;

const say = (talker: Talker): void => {
  sent += 1;
  talker.unanswered += 1;
  const d = {
    id: `${process.pid}-${sent}`,
    type: 'message.send',
    channel_id: talker.channel,
    content: `${MARK}${sent}${MARK} ${TEXT}`,
  };
  talker.socket.send(JSON.stringify({ op: 100, d }));
};

const numberIn = (bytes: Buffer, start: number): number => {
  const at = bytes.indexOf(MARK, start) + 1;
  return Number(bytes.toString('latin1', at, bytes.indexOf(MARK, at)));
};

/** The number in the id of the command that is answered. */
const answeredIn = (bytes: Buffer, start: number): number => {
  const from = bytes.indexOf(ID, start) + ID.length;
  return Number(bytes.toString('latin1', from, bytes.indexOf('"', from)));
};

const connect = (port: number, token: string, intents: number, channel: string): Talker => {
  const take = (bytes: Buffer, start: number, end: number): void => {
    const kind = kindOf(bytes, start, end);
    if (kind.includes('"op":101')) {
      talker.unanswered -= 1;
      if (bytes.toString('latin1', start, Math.min(end, start + 160)).includes('"ok":true')) acknowledged += 1;
      else refused += 1;
      onAcknowledged(talker, answeredIn(bytes, start));
    } else if (kind.includes('"MESSAGE_CREATE"')) {
      delivered += 1;
      if (lastFrame === '') lastFrame = bytes.toString('utf8', start, end);
      onDelivered(numberIn(bytes, start));
    } else if (kind.includes('"READY"')) ready += 1;
    progress.changed();
  };
  const talker: Talker = { channel, socket: new MiniSocket(port, take, () => progress.changed()), unanswered: 0 };
  talker.socket.send(JSON.stringify({ op: 2, d: { token, intents, properties: {} } }));
  return talker;
};

/** Waits for the answers and the listeners, so that the next measurement starts with nothing under way. */
const drain = async (): Promise<void> => {
  const quiet = () => delivered >= acknowledged * listening && talkers.every((talker) => talker.unanswered === 0);
  await progress.until(quiet, () => `${acknowledged * listening} deliveries, there are ${delivered}`, TIMEOUT);
};

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const talkersProgram = {
  /** Each person talks in one of the channels. Every listener hears all of them. */
  async connect(given: { port: number; tokens: string[]; listeners: string[]; channelIds: string[] }): Promise<void> {
    const { port, tokens, listeners, channelIds } = given;
    listening = listeners.length;
    for (const listener of listeners) connect(port, listener, INTENTS, '');
    for (const [i, token] of tokens.entries())
      talkers.push(connect(port, token, 0, channelIds[i % channelIds.length]!));
    await progress.until(
      () => ready === tokens.length + listening,
      () => `READY for all, ${ready} have it`,
      TIMEOUT,
    );
  },

  frame(_: null): string {
    return lastFrame;
  },

  /**
   * Each person keeps `window` commands unanswered for `ms`, or undelivered. The latter is the rate that a server can
   * sustain when it delivers later than it answers. @returns sends a second that were answered, or delivered
   */
  async flood(given: {
    ms: number;
    window: number;
    until?: 'delivered';
  }): Promise<{ perSecond: number; refused: number }> {
    const { ms, window, until } = given;
    let going = true;
    const next = (talker: Talker): void => {
      if (going) say(talker);
    };
    onAcknowledged = until === 'delivered' ? () => {} : next;
    onDelivered = until === 'delivered' ? (number) => next(talkers[number % talkers.length]!) : () => {};
    const done = () => (until === 'delivered' ? delivered : acknowledged);
    for (const talker of talkers) for (let i = 0; i < window; i += 1) say(talker);
    await after(WARM_UP_MS);
    const [begun, before] = [performance.now(), done()];
    await after(ms);
    const perSecond = ((done() - before) * 1_000) / (performance.now() - begun);
    going = false;
    await drain();
    return { perSecond, refused };
  },

  /**
   * Each person keeps `window` commands unanswered for `ms`. @returns milliseconds from the answer to a command to the
   * message's arrival at a listener, 0 where it arrives first, in each of `parts` equal parts of the time
   */
  async saturate(given: { ms: number; window: number; parts: number }): Promise<{ p50: number; p99: number }[]> {
    const { ms, window, parts } = given;
    const first = sent;
    const answered: number[] = [];
    const arrived: number[] = [];
    let going = true;
    onDelivered = (number) => {
      arrived[number - first - 1] ??= performance.now();
    };
    onAcknowledged = (talker, number) => {
      answered[number - first - 1] = performance.now();
      if (going) say(talker);
    };
    for (const talker of talkers) for (let i = 0; i < window; i += 1) say(talker);
    await after(WARM_UP_MS);
    const begun = performance.now();
    await after(ms);
    going = false;
    await drain();
    const inParts: number[][] = Array.from({ length: parts }, () => []);
    for (const [index, time] of answered.entries()) {
      const part = inParts[Math.floor(((time - begun) / ms) * parts)];
      part?.push(Math.max(0, arrived[index]! - time));
    }
    return inParts.map((late) => ({ p50: quantile(late, 0.5), p99: quantile(late, 0.99) }));
  },

  /** Sends at a fixed rate. @returns milliseconds from writing each message to reading it at a listener, over all of them */
  async pace(given: { ms: number; perSecond: number }): Promise<{ p50: number; p99: number; sentPerSecond: number }> {
    const first = sent;
    /** When each message was sent, the first one at 0. */
    const begins: number[] = [];
    const latencies: number[] = [];
    onAcknowledged = () => {};
    const begun = performance.now();
    onDelivered = (number) => {
      const begin = begins[number - first - 1];
      if (begin !== undefined && begin - begun > WARM_UP_MS) latencies.push(performance.now() - begin);
    };
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const elapsed = performance.now() - begun;
        if (elapsed > given.ms) {
          clearInterval(timer);
          return resolve();
        }
        while (sent - first < (elapsed * given.perSecond) / 1_000) {
          begins.push(performance.now());
          say(talkers[sent % talkers.length]!);
        }
      }, TICK_MS);
    });
    const sentPerSecond = ((sent - first) * 1_000) / (performance.now() - begun);
    await drain();
    onDelivered = () => {};
    return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), sentPerSecond };
  },
};

export type Talkers = typeof talkersProgram;
