/** Records a conversation with a server: every request with its answer, every frame, every close. */
import { once } from 'node:events';
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import { type CommandResult, type Frame, GatewayClient, type Session } from './gateway-client.ts';

/** Guilds, members, invites, messages, reactions and typing, in guilds and direct channels, and message content. */
export const EVERYTHING = 0b1111_1110_0100_0011;

const PATIENCE = { interval: 100, timeout: 60_000 } as const;

export interface Said {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a recording may hold anything
  readonly body: any;
}

export interface Asked {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent unchanged in place of `body`. */
  readonly bytes?: string;
  /** Recorded in place of a path that holds a position. */
  readonly shown?: string;
}

/** Headers that depend on the machine, the moment or the Node version, not on the server. */
const PASSING_HEADERS = new Set(['date', 'content-length', 'connection', 'keep-alive', 'transfer-encoding']);

const decoded = (text: string, type: string): unknown => {
  if (text === '') return null;
  const lines = () => text.split('\n').filter((line) => line !== '');
  if (type.startsWith('application/json')) return JSON.parse(text);
  if (type.startsWith('application/x-ndjson')) return lines().map((line) => JSON.parse(line));
  if (type.startsWith('text/event-stream'))
    return lines().map((line) => (line.startsWith('data: ') ? { data: JSON.parse(line.slice(6)) } : line));
  return text;
};

class Listener {
  readonly client: GatewayClient;
  readonly token: string;
  taken = 0;

  constructor(client: GatewayClient, token: string) {
    this.client = client;
    this.token = token;
  }

  /** Not a dispatch of its own: a heartbeat may or may not be answered with it. */
  unread(): Frame[] {
    return this.client.frames.slice(this.taken).filter(({ t }) => t !== 'PARLEY_POSITION');
  }
}

export class Conversation {
  readonly entries: object[] = [];
  /** Other values that differ from run to run, and what is recorded in their place. */
  readonly secrets = new Map<string, string>();
  readonly base: string;
  readonly #authorizations = new Map<string, string>();
  readonly #listeners = new Map<string, Listener>();
  #doing = '';

  constructor(base: string) {
    this.base = base;
  }

  /** Adds a heading to the recording. */
  about(what: string): void {
    this.#doing = what;
  }

  knows(name: string, authorization: string): void {
    this.#authorizations.set(name, authorization);
    this.secrets.set(this.tokenOf(name), `token of ${name}`);
  }

  /**
   * Waits until the views of every node hold everything so far, so that no answer depends on their speed, and until the
   * clock has moved, so that the next event has a time of its own.
   */
  async settled(): Promise<void> {
    const before = Date.now();
    const administrator = this.#authorizations.get('ada');
    if (administrator !== undefined) {
      // Two requests at once use two connections, which lead to one node each.
      await Promise.all(
        [1, 2].map(async () => {
          const init = { headers: { authorization: administrator } };
          // A busy machine or a cluster that has just started may take long, which answers 503.
          await vi.waitFor(async () => {
            const response = await fetch(`${this.base}/v1/events?after=${Number.MAX_SAFE_INTEGER}`, init);
            const text = await response.text();
            if (!response.ok) throw new Error(`the views did not catch up: ${response.status} ${text}`);
          }, PATIENCE);
        }),
      );
    }
    while (Date.now() === before) await new Promise((turn) => setImmediate(turn));
  }

  /** @param who whose token is sent; `undefined` sends none. @param path below `/v1` unless it begins with `//` */
  async ask(who: string | undefined, method: string, path: string, asked: Asked = {}): Promise<Said> {
    await this.settled();
    const whole = path.startsWith('//') ? path.slice(1) : `/v1${path}`;
    const { body, headers = {}, bytes = body === undefined ? undefined : JSON.stringify(body), shown = whole } = asked;
    const response = await fetch(`${this.base}${whole}`, {
      method,
      headers: {
        ...(who === undefined ? {} : { authorization: this.#authorizations.get(who)! }),
        ...(bytes === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(bytes === undefined ? {} : { body: bytes }),
    });
    const type = response.headers.get('content-type') ?? '';
    const said = { status: response.status, body: decoded(await response.text(), type) };
    const kept = [...response.headers].filter(
      ([name]) => !PASSING_HEADERS.has(name) && (name !== 'x-request-id' || 'x-request-id' in headers),
    );
    this.#write({
      ...(who === undefined ? {} : { as: who }),
      request: `${method} ${shown}`,
      ...(body === undefined ? {} : { body }),
      ...(asked.bytes === undefined ? {} : { bytes: asked.bytes }),
      ...(Object.keys(headers).length === 0 ? {} : { with: headers }),
      status: said.status,
      headers: Object.fromEntries(kept),
      answer: said.body,
    });
    return said;
  }

  /** Opens a session, and records everything before its first live dispatch. */
  async listens(name: string, intents = EVERYTHING): Promise<void> {
    await this.settled();
    const token = this.tokenOf(name);
    const client = await GatewayClient.connect(this.base);
    client.identify(token, intents);
    await client.dispatch('PARLEY_POSITION');
    this.secrets.set(client.session().session_id, `session of ${name}`);
    const listener = new Listener(client, token);
    listener.taken = client.frames.length;
    this.#listeners.set(name, listener);
    this.#write({ socket: name, opens: { intents }, received: [...client.frames] });
  }

  /** Waits for dispatches of these types in any order, and records everything up to the last of them. */
  async hears(names: string | readonly string[], ...types: readonly string[]): Promise<void> {
    for (const name of typeof names === 'string' ? [names] : names) {
      const listener = this.#listeners.get(name)!;
      const lastWanted = () => {
        const missing = [...types];
        return listener.unread().findIndex(({ t }) => {
          const at = missing.indexOf(t ?? '');
          if (at !== -1) missing.splice(at, 1);
          return missing.length === 0;
        });
      };
      await listener.client.until(() => lastWanted() !== -1, `${name} to hear ${types.join(', ')} (${this.#doing})`);
      const received = listener.unread().slice(0, lastWanted() + 1);
      listener.taken = listener.client.frames.indexOf(received.at(-1)!) + 1;
      this.#write({ socket: name, received });
    }
  }

  /** An op 100 and its op 101. Dispatches that arrive before the answer are left for `hears`. */
  async command(name: string, d: Readonly<Record<string, unknown>>): Promise<CommandResult> {
    return (await this.#answered(name, 100, d, 101)).d;
  }

  /** Sends any frame and then a heartbeat, whose answer shows that the frame was handled. */
  async sends(name: string, op: number, d: unknown): Promise<void> {
    this.#listeners.get(name)!.client.write(op, d);
    this.#write({ socket: name, sends: { op, d } });
    await this.beats(name);
  }

  async beats(name: string): Promise<void> {
    await this.#answered(name, 1, this.#listeners.get(name)!.client.seq, 11, '<position>');
  }

  /** Records the dispatches that nothing waited for. */
  async rest(name: string): Promise<void> {
    await this.beats(name);
    this.#write({ socket: name, rest: this.#listeners.get(name)!.unread() });
  }

  /** Cuts the connection. */
  async loses(name: string): Promise<Session> {
    const { client } = this.#listeners.get(name)!;
    await client.cut();
    this.#write({ socket: name, cut: true });
    return client.session();
  }

  /** Resumes where a connection was lost. */
  async resumes(name: string): Promise<void> {
    await this.settled();
    const { client: former, token } = this.#listeners.get(name)!;
    const client = await GatewayClient.resumed(this.base, token, former.session());
    const listener = new Listener(client, token);
    listener.taken = client.frames.length;
    this.#listeners.set(name, listener);
    this.#write({ socket: name, resumes: former.session(), received: [...client.frames] });
  }

  /** A resume that is refused, on a socket of its own. */
  async resumesInVain(who: string, d: object, shown: object): Promise<void> {
    await this.settled();
    const client = await GatewayClient.connect(this.base);
    client.write(6, d);
    await client.until((frames) => frames.some(({ op }) => op === 9), 'op 9');
    this.#write({ socket: `again ${who}`, sends: { op: 6, d: shown }, received: [...client.frames] });
    await client.cut();
  }

  /** Opens a socket, sends this, and waits for the server to close it. */
  async closes(what: string, frame: { readonly bytes: string | Buffer; readonly as?: string }): Promise<void> {
    await this.settled();
    const { bytes, as } = frame;
    const client =
      as === undefined
        ? await GatewayClient.connect(this.base)
        : await GatewayClient.identified(this.base, this.tokenOf(as));
    const closed = once(client.socket, 'close') as Promise<[number, Buffer]>;
    client.socket.send(bytes);
    const [code, reason] = await closed;
    this.#write({
      ...{ socket: what, ...(as === undefined ? {} : { as }), sends: bytes.toString() },
      close: { code, reason: String(reason) },
    });
  }

  /** A socket that is closed because of the way it was opened. */
  async closesAtOnce(query: string): Promise<void> {
    const socket = new WebSocket(`${this.base.replace('http', 'ws')}/gateway${query}`);
    const received: Frame[] = [];
    socket.on('message', (data) => received.push(JSON.parse(String(data)) as Frame));
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    this.#write({ socket: `/gateway${query}`, received, close: { code, reason: String(reason) } });
  }

  tokenOf(name: string): string {
    return this.#authorizations.get(name)!.replace(/^\w+ /, '');
  }

  session(name: string): Session {
    return this.#listeners.get(name)!.client.session();
  }

  async end(): Promise<void> {
    for (const { client } of this.#listeners.values()) if (client.closeCode === undefined) await client.cut();
  }

  async #answered(name: string, op: number, d: unknown, by: number, shown: unknown = d): Promise<Frame> {
    await this.settled();
    const { client } = this.#listeners.get(name)!;
    const since = client.frames.length;
    const answer = () => client.frames.slice(since).find((frame) => frame.op === by);
    client.write(op, d);
    await client.until(() => answer() !== undefined, `an op ${by} for ${JSON.stringify(d)}`);
    const frame = answer()!;
    // An answer and the dispatch of its event may come in either order, so each is recorded separately.
    client.frames.splice(client.frames.indexOf(frame), 1);
    this.#write({ socket: name, sends: { op, d: shown }, received: [frame] });
    return frame;
  }

  #write(entry: object): void {
    // Frozen as text, so that tests cannot change what is recorded.
    this.entries.push(JSON.parse(JSON.stringify({ step: this.#doing, ...entry })));
  }
}

const PERMISSIONS = new Set(['permissions', 'allow', 'deny', 'everyone']);
/** Only the presence of these is recorded: their values depend on the clock or on the speed of the views. */
const PASSING: Readonly<Record<string, string>> = {
  expires_at: '<expiry>',
  time: '<time>',
  headTime: '<time>',
  highest: '<time>',
  expiresAt: '<time>',
  retry_after: '<seconds>',
  'retry-after': '<seconds>',
  'x-ratelimit-reset': '<seconds>',
  'x-ratelimit-reset-after': '<seconds>',
  // How far the views are, which in a cluster may be beyond what the asker has written.
  'x-parley-position': '<position of the views>',
  box: '<sealed>',
};
/** Ids of guilds and bots are derived from a key, which is random over HTTP. */
const BY_ID = /\/(members|@me\/guilds|streams)(\?.*)?$/;
const POSITIONS = new Set(['s', 'position', 'seq']);

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const ISO_TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)/g;
/** In the key of an event. */
const FINGERPRINT = /(?<=:[a-z.-]+~)[\w-]{11}(?=:)/g;
const SNOWFLAKE = /(?<!\d)\d{17,20}(?!\d)/g;

/** Numbers every value that differs between runs, by first appearance. */
export const normalised = (
  entries: readonly object[],
  base: string,
  secrets: ReadonlyMap<string, string>,
): object[] => {
  const labels = new Map<string, string>();
  const counts = new Map<string, number>();
  const label = (kind: string, value: string): string => {
    const known = labels.get(`${kind} ${value}`);
    if (known !== undefined) return known;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    labels.set(`${kind} ${value}`, `<${kind} ${count}>`);
    return `<${kind} ${count}>`;
  };
  const host = new URL(base).host;
  const knownSecrets = [...secrets].sort(([a], [b]) => b.length - a.length);
  const ofText = (text: string): string => {
    let shown = text.replaceAll(host, '<host>');
    for (const [secret, what] of knownSecrets) shown = shown.replaceAll(secret, `<${what}>`);
    return shown
      .replace(/x{100,}/g, (all) => `<${all.length} x>`)
      .replace(UUID, (uuid) => label('uuid', uuid))
      .replace(FINGERPRINT, (print) => label('fingerprint', print))
      .replace(ISO_TIME, (time) => label('time', time))
      .replace(SNOWFLAKE, (id) => label('id', id));
  };
  /** Sorts by first appearance where the server sorts by ids that are partly random. */
  const inOrder = (
    list: readonly unknown[],
    key: string,
    within: Readonly<Record<string, unknown>>,
  ): readonly unknown[] => {
    const byId =
      key === 'members' ||
      (key === 'guilds' && 'session_id' in within) ||
      (key === 'answer' && BY_ID.test(String(within.request)) && within.status === 200);
    if (byId) return [...list].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
    if (key !== 'received' || !('opens' in within)) return list;
    const guilds = (list as readonly Frame[]).filter(({ t }) => t === 'GUILD_CREATE');
    const sorted = guilds.sort((a, b) => (rank(a.d) < rank(b.d) ? -1 : 1));
    return (list as readonly Frame[]).map((frame) => (frame.t === 'GUILD_CREATE' ? sorted.shift() : frame));
  };
  const rank = (one: unknown): string => {
    const { id, user, stream } = one as { id?: string; user?: { id: string }; stream?: string };
    return ofText(id ?? user?.id ?? stream ?? '').replace(/\d+/g, (number) => number.padStart(6, '0'));
  };
  const of = (value: unknown, key: string, within: Readonly<Record<string, unknown>>): unknown => {
    if (value === null || typeof value === 'boolean') return value;
    if (PASSING[key] !== undefined && (typeof value !== 'object' || key === 'time')) return PASSING[key];
    if (typeof value === 'number') {
      // In typing a number of seconds; everywhere else text.
      if (key === 'timestamp') return '<seconds>';
      // Channels and roles have a position in a list.
      const listed = 'permission_overwrites' in within || 'hoist' in within;
      if (!POSITIONS.has(key) || listed) return value;
      // Typing is not an event, so its answer carries the position of the views.
      return within.sequence === 0 ? '<position>' : label('position', String(value));
    }
    if (typeof value === 'string')
      return PERMISSIONS.has(key) ? value : key === 'epoch' ? label('epoch', value) : ofText(value);
    if (Array.isArray(value)) return inOrder(value, key, within).map((one) => of(one, '', {}));
    const fields = value as Record<string, unknown>;
    return Object.fromEntries(Object.entries(fields).map(([name, one]) => [ofText(name), of(one, name, fields)]));
  };
  return entries.map((entry) => of(entry, '', {}) as object);
};
