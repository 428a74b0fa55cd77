/** People who send over sockets, and one who listens. */
import { Watched } from '../../test/support/watched.ts';
import { quantile } from '../bench.ts';
import { kindOf, MiniSocket } from '../support/mini-socket.ts';

const INTENTS = (1 << 0) | (1 << 9) | (1 << 15);
const WARM_UP_MS = 1_500;
const TICK_MS = 2;
const TIMEOUT = 30_000;
const TEXT = 'a message of a usual length, which is about a hundred characters when people have something to say';
/** Between these stands a message's number. */
const MARK = '#';

interface Talker {
  readonly socket: MiniSocket;
  unanswered: number;
}

const progress = new Watched();
const talkers: Talker[] = [];
let channel = '';
let ready = 0;
let acknowledged = 0;
let refused = 0;
let sent = 0;
let delivered = 0;
let onAcknowledged: (talker: Talker) => void = () => {};
let onDelivered: (number: number) => void = () => {};

const say = (talker: Talker): void => {
  sent += 1;
  talker.unanswered += 1;
  const d = {
    id: `${process.pid}-${sent}`,
    type: 'message.send',
    channel_id: channel,
    content: `${MARK}${sent}${MARK} ${TEXT}`,
  };
  talker.socket.send(JSON.stringify({ op: 100, d }));
};

const numberIn = (bytes: Buffer, start: number): number => {
  const at = bytes.indexOf(MARK, start) + 1;
  return Number(bytes.toString('latin1', at, bytes.indexOf(MARK, at)));
};

const connect = (port: number, token: string, intents: number): Talker => {
  const take = (bytes: Buffer, start: number, end: number): void => {
    const kind = kindOf(bytes, start, end);
    if (kind.includes('"op":101')) {
      talker.unanswered -= 1;
      if (bytes.toString('latin1', start, Math.min(end, start + 160)).includes('"ok":true')) acknowledged += 1;
      else refused += 1;
      onAcknowledged(talker);
    } else if (kind.includes('"MESSAGE_CREATE"')) {
      delivered += 1;
      onDelivered(numberIn(bytes, start));
    } else if (kind.includes('"READY"')) ready += 1;
    progress.changed();
  };
  const talker: Talker = { socket: new MiniSocket(port, take, () => progress.changed()), unanswered: 0 };
  talker.socket.send(JSON.stringify({ op: 2, d: { token, intents, properties: {} } }));
  return talker;
};

/** Waits for the answers, and for the listener, so that the next measurement begins with nothing under way. */
const drain = async (): Promise<void> => {
  const quiet = () => delivered >= acknowledged && talkers.every((talker) => talker.unanswered === 0);
  await progress.until(quiet, () => `${acknowledged} deliveries, there are ${delivered}`, TIMEOUT);
};

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const talkersProgram = {
  async connect(given: { port: number; tokens: string[]; listener: string; channelId: string }): Promise<void> {
    channel = given.channelId;
    connect(given.port, given.listener, INTENTS);
    for (const token of given.tokens) talkers.push(connect(given.port, token, 0));
    await progress.until(
      () => ready === given.tokens.length + 1,
      () => `READY for all, ${ready} have it`,
      TIMEOUT,
    );
  },

  /** Everybody keeps `window` commands unanswered for `ms`. @returns acknowledged sends a second */
  async flood(given: { ms: number; window: number }): Promise<{ perSecond: number; refused: number }> {
    let going = true;
    onAcknowledged = (talker) => {
      if (going) say(talker);
    };
    for (const talker of talkers) for (let i = 0; i < given.window; i += 1) say(talker);
    await after(WARM_UP_MS);
    const [begun, before] = [performance.now(), acknowledged];
    await after(given.ms);
    const perSecond = ((acknowledged - before) * 1_000) / (performance.now() - begun);
    going = false;
    await drain();
    return { perSecond, refused };
  },

  /** Sends at a fixed rate. @returns milliseconds from writing a message to reading it at the listener */
  async pace(given: { ms: number; perSecond: number }): Promise<{ p50: number; p99: number; sentPerSecond: number }> {
    const begins = new Map<number, number>();
    const latencies: number[] = [];
    onAcknowledged = () => {};
    const begun = performance.now();
    onDelivered = (number) => {
      const begin = begins.get(number);
      if (begin !== undefined && begin - begun > WARM_UP_MS) latencies.push(performance.now() - begin);
      begins.delete(number);
    };
    const first = sent;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const elapsed = performance.now() - begun;
        if (elapsed > given.ms) {
          clearInterval(timer);
          return resolve();
        }
        while (sent - first < (elapsed * given.perSecond) / 1_000) {
          begins.set(sent + 1, performance.now());
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
