/** People who send over sockets, and people who listen. */

import { Watched } from '../../test/support/watched.ts';
import { quantile } from '../bench.ts';
import { centrifugo } from '../peers/centrifugo.ts';
import { parley } from '../peers/parley.ts';
import { type Heard, marked, type Opening, type Protocol } from '../peers/protocol.ts';
import { tinode } from '../peers/tinode.ts';
import { MiniSocket } from '../support/mini-socket.ts';

const TICK_MS = 2;
const TIMEOUT = 30_000;
/** Sessions that open at once. With more, the listen queue overflows and each connect waits for a second. */
const AT_ONCE = 200;
const TEXT = 'a message of a usual length, which is about a hundred characters when people have something to say';

const protocols = { parley, centrifugo, tinode };
export type ProtocolName = keyof typeof protocols;

interface Talker {
  readonly channel: string;
  readonly socket: MiniSocket;
  unanswered: number;
}

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface TalkersOptions {
  /** Before each measurement. */
  readonly warmUpMs?: number;
}

export const createTalkers = ({ warmUpMs = 1_500 }: TalkersOptions = {}) => {
  const progress = new Watched();
  const talkers: Talker[] = [];
  let protocol: Protocol = parley;
  let acknowledged = 0;
  let refused = 0;
  /** What the server said when it refused a message. */
  let lastRefusal = '';
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
    talker.socket.send(protocol.message(talker.channel, sent, marked(sent, TEXT)));
  };

  /** Opens a session. Resolves when it is open. @throws with what the server said */
  const open = (url: string, opening: Opening): Promise<Talker> =>
    new Promise((resolve, reject) => {
      const commands = protocol.opening(opening);
      let asked = 0;
      let isOpen = false;
      const sayNext = () => {
        talker.socket.send(commands[asked]!);
        asked += 1;
      };
      const opened = (refusal: string | undefined): void => {
        isOpen = refusal === undefined && asked === commands.length;
        if (isOpen) resolve(talker);
        else if (refusal === undefined) sayNext();
        else reject(new Error(`a session is refused: ${refusal}`));
      };
      let frame: () => string = () => '';
      const heard: Heard = {
        answered(number, refusal) {
          if (!isOpen) return opened(refusal);
          talker.unanswered -= 1;
          if (refusal === undefined) acknowledged += 1;
          else {
            refused += 1;
            lastRefusal = refusal;
          }
          onAcknowledged(talker, number);
          progress.changed();
        },
        delivered(number) {
          if (!opening.listens) return;
          delivered += 1;
          if (lastFrame === '') lastFrame = frame();
          onDelivered(number);
          progress.changed();
        },
        asked: (answer) => talker.socket.send(answer),
      };
      const take = (bytes: Buffer, start: number, end: number): void => {
        if (lastFrame === '') frame = () => bytes.toString('utf8', start, end);
        protocol.read(bytes, start, end, heard);
      };
      const lost = (why: string): void => {
        const error = new Error(`a session is lost: ${why}`);
        reject(error);
        progress.fail(error);
      };
      const talker: Talker = {
        channel: opening.channels[0] ?? '',
        socket: new MiniSocket(url, take, lost),
        unanswered: 0,
      };
      sayNext();
    });

  /** Opens all of them, some at once. */
  const openAll = async (url: string, openings: readonly Opening[]): Promise<readonly Talker[]> => {
    const opened: Talker[] = [];
    let next = 0;
    const opener = async (): Promise<void> => {
      for (let n = next++; n < openings.length; n = next++) opened[n] = await open(url, openings[n]!);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, opener));
    return opened;
  };

  /** Waits for the answers and the listeners, so that the next measurement starts with nothing under way. */
  const drain = async (): Promise<void> => {
    const quiet = () => delivered >= acknowledged * listening && talkers.every((talker) => talker.unanswered === 0);
    await progress.until(quiet, () => `${acknowledged * listening} deliveries, there are ${delivered}`, TIMEOUT);
  };

  return {
    /** Each person talks in one of the channels. Every listener hears all of them. */
    async connect(given: {
      protocol: ProtocolName;
      url: string;
      tokens: string[];
      listeners: string[];
      channelIds: string[];
    }): Promise<void> {
      const { url, tokens, listeners, channelIds } = given;
      protocol = protocols[given.protocol];
      listening = listeners.length;
      await openAll(
        url,
        listeners.map((person) => ({ person, channels: channelIds, listens: true })),
      );
      const channelOf = (i: number) => channelIds[i % channelIds.length]!;
      talkers.push(
        ...(await openAll(
          url,
          tokens.map((person, i) => ({ person, channels: [channelOf(i)], listens: false })),
        )),
      );
    },

    frame(_: null): string {
      return lastFrame;
    },

    /**
     * Each person keeps `window` commands unanswered for `ms`.
     * @returns sends a second that were answered, and milliseconds from writing one to reading it at the first listener
     * @throws when one is refused
     */
    async flood(given: { ms: number; window: number }): Promise<{ perSecond: number; p50: number }> {
      const { ms, window } = given;
      const first = sent;
      const begins: number[] = [];
      const latencies: number[] = [];
      let going = true;
      const next = (talker: Talker): void => {
        begins.push(performance.now());
        say(talker);
      };
      onAcknowledged = (talker) => {
        if (going) next(talker);
      };
      onDelivered = (number) => {
        latencies[number - first - 1] ??= performance.now() - begins[number - first - 1]!;
      };
      for (const talker of talkers) for (let i = 0; i < window; i += 1) next(talker);
      await after(warmUpMs);
      const [begun, before, skipped] = [performance.now(), acknowledged, sent - first];
      await after(ms);
      const perSecond = ((acknowledged - before) * 1_000) / (performance.now() - begun);
      going = false;
      await drain();
      onDelivered = () => {};
      if (refused > 0) throw new Error(`${refused} messages were refused: ${lastRefusal}`);
      return { perSecond, p50: quantile(latencies.slice(skipped), 0.5) };
    },

    /** One person keeps `window` messages for `ms` that not all listeners have yet. @returns deliveries a second */
    async spread(given: { ms: number; window: number }): Promise<number> {
      const { ms, window } = given;
      const [talker] = talkers as [Talker];
      let going = true;
      let whole = delivered + listening;
      onAcknowledged = () => {};
      onDelivered = () => {
        if (delivered < whole) return;
        whole += listening;
        if (going) say(talker);
      };
      for (let i = 0; i < window; i += 1) say(talker);
      await after(warmUpMs);
      const [begun, before] = [performance.now(), delivered];
      await after(ms);
      const perSecond = ((delivered - before) * 1_000) / (performance.now() - begun);
      going = false;
      await drain();
      onDelivered = () => {};
      return perSecond;
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
      await after(warmUpMs);
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
        if (begin !== undefined && begin - begun > warmUpMs) latencies.push(performance.now() - begin);
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
};

export type Talkers = ReturnType<typeof createTalkers>;
