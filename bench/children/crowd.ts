/** Thousands of sessions that listen, count, are cut and reconnect. */

import { Watched } from '../../test/support/watched.ts';
import { kindOf } from '../peers/protocol.ts';
import { gatewayAt, MiniSocket } from '../support/mini-socket.ts';

/** Guilds and guild messages, with their content. */
const INTENTS = (1 << 0) | (1 << 9) | (1 << 15);
/** Handshakes at once. With more, the listen queue overflows and each connect waits for a second. */
const AT_ONCE = 200;
const TIMEOUT = 50_000;

interface Session {
  /** Port of its gateway. */
  readonly port: number;
  readonly token: string;
  socket: MiniSocket | undefined;
  sessionId: string;
  seq: number;
  /** GUILD_CREATEs still to come after READY; -1 before READY. */
  guilds: number;
  resumed: boolean;
  refused: boolean;
  messages: number;
}

interface Group {
  readonly sessions: Session[];
  sender: MiniSocket | undefined;
}

const groups = new Map<string, Group>();
const progress = new Watched();
let messages = 0;
let lastFrame = '';
let commandNumber = 0;

const group = (name: string): Group => groups.get(name)!;

const take = (session: Session, bytes: Buffer, start: number, end: number): void => {
  const kind = kindOf(bytes, start, end);
  if (kind.includes('"MESSAGE_CREATE"')) {
    session.messages += 1;
    messages += 1;
    session.seq = Number(/"s":(\d+)/.exec(kind)?.[1] ?? session.seq);
    if (lastFrame === '') lastFrame = bytes.toString('utf8', start, end);
    progress.changed();
    return;
  }
  if (kind.includes('"READY"')) {
    const { d, s } = JSON.parse(bytes.toString('utf8', start, end));
    session.sessionId = d.session_id;
    session.seq = s;
    session.guilds = d.guilds.length;
  } else if (kind.includes('"GUILD_CREATE"')) session.guilds -= 1;
  else if (kind.includes('"RESUMED"')) session.resumed = true;
  else if (kind.includes('"op":9')) session.refused = true;
  progress.changed();
};

const open = (session: Session, hello: object): void => {
  Object.assign(session, { guilds: -1, resumed: false, refused: false, messages: 0 });
  session.socket = new MiniSocket(
    gatewayAt(session.port),
    (bytes, start, end) => take(session, bytes, start, end),
    () => progress.changed(),
  );
  session.socket.send(JSON.stringify(hello));
};

const identify = (token: string, intents = INTENTS) => ({ op: 2, d: { token, intents, properties: {} } });
const isReady = (session: Session) => session.guilds === 0;

/** Opens all of them, some at once. Resolves when every one is done. */
const inWaves = async (
  sessions: readonly Session[],
  start: (session: Session) => void,
  isDone: (session: Session) => boolean,
): Promise<number> => {
  const begun = performance.now();
  const underWay = new Set<Session>();
  let next = 0;
  const advance = () => {
    for (const session of underWay) if (isDone(session)) underWay.delete(session);
    while (underWay.size < AT_ONCE && next < sessions.length) {
      start(sessions[next]!);
      underWay.add(sessions[next]!);
      next += 1;
    }
    return underWay.size === 0 && next === sessions.length;
  };
  await progress.until(advance, () => `${underWay.size} sessions, ${next} of ${sessions.length} begun`, TIMEOUT);
  return performance.now() - begun;
};

/** Counting frames must not visit every session, so this checks a single number. */
const untilMessages = (count: number): Promise<void> =>
  progress.until(
    () => messages >= count,
    () => `${count} messages, there are ${messages}`,
    TIMEOUT,
  );

export const crowd = {
  /** @param given.ports of gateways that share the sessions. @returns milliseconds until all had READY and their guilds */
  async connect(given: { group: string; ports: number[]; tokens: string[]; senderToken: string }): Promise<number> {
    const { ports } = given;
    const sessions = given.tokens.map((token, i) => ({ token, port: ports[i % ports.length]! }) as Session);
    const sender = { token: given.senderToken, port: ports[0]! } as Session;
    groups.set(given.group, { sessions, sender: undefined });
    const ms = await inWaves(sessions, (session) => open(session, identify(session.token)), isReady);
    await inWaves(
      [sender],
      (session) => open(session, identify(session.token, 0)),
      (s) => s.guilds >= 0,
    );
    group(given.group).sender = sender.socket;
    return ms;
  },

  /** One sender sends `burst` messages in one write. @returns milliseconds until every session has all of them */
  async send(given: { group: string; channelId: string; burst: number; content: string }): Promise<number> {
    const { sessions, sender } = group(given.group);
    messages = 0;
    const frames: string[] = [];
    for (let i = 0; i < given.burst; i += 1) {
      commandNumber += 1;
      const id = `${given.group}-${process.pid}-${commandNumber}`;
      const d = { id, type: 'message.send', channel_id: given.channelId, content: given.content };
      frames.push(JSON.stringify({ op: 100, d }));
    }
    const begun = performance.now();
    sender!.socket.cork();
    for (const frame of frames) sender!.send(frame);
    sender!.socket.uncork();
    await untilMessages(sessions.length * given.burst);
    return performance.now() - begun;
  },

  /** A frame as received, which a bare server sends to do the same work. */
  frame(_: null): string {
    return lastFrame;
  },

  async cut(given: { group: string }): Promise<void> {
    const { sessions } = group(given.group);
    for (const { socket } of sessions) socket!.socket.destroy();
    await progress.until(() => sessions.every(({ socket }) => socket!.socket.closed), 'the cuts', TIMEOUT);
  },

  /** All sessions resume. `complete`: the number that received exactly what they missed, and RESUMED. */
  async resume(given: { group: string; missed: number }): Promise<{ ms: number; complete: number }> {
    const { sessions } = group(given.group);
    const ms = await inWaves(
      sessions,
      (session) => {
        const { token, sessionId, seq } = session;
        open(session, { op: 6, d: { token, session_id: sessionId, seq } });
      },
      (session) => session.resumed || session.refused,
    );
    return { ms, complete: sessions.filter((each) => each.resumed && each.messages === given.missed).length };
  },

  /** All sessions reconnect as new ones. */
  reconnect(given: { group: string }): Promise<number> {
    const { sessions } = group(given.group);
    return inWaves(sessions, (session) => open(session, identify(session.token)), isReady);
  },
};

export type Crowd = typeof crowd;
