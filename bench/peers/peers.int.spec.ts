import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { createTalkers } from '../children/talkers.ts';
import { makeTopics } from './tinode.ts';

const SHORT = { ms: 60, perSecond: 500 };
const WINDOW = { ms: 40, window: 4 };

let ending: (() => void)[] = [];
afterEach(() => {
  for (const end of ending) end();
  ending = [];
});

type Conversation = (text: string) => void;

/** A server on this machine. @param begin is called for each connection */
const standIn = async (path: string, begin: (socket: WebSocket) => Conversation): Promise<string> => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', path });
  server.on('connection', (socket) => {
    const take = begin(socket);
    socket.on('message', (data) => take(String(data)));
  });
  ending.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
};

/** Measures all that a table holds. @returns deliveries and acknowledgements have been counted, so none was lost */
const measureAll = async (
  connect: Parameters<ReturnType<typeof createTalkers>['connect']>[0],
): Promise<readonly number[]> => {
  const talkers = createTalkers({ warmUpMs: 0 });
  await talkers.connect(connect);
  const { perSecond, p50 } = await talkers.flood(WINDOW);
  const paced = await talkers.pace(SHORT);
  return [perSecond, p50, paced.p50, paced.p99, paced.sentPerSecond, await talkers.spread(WINDOW)];
};

const areMeasured = (figures: readonly number[]): void => {
  for (const figure of figures) expect(figure).toBeGreaterThan(0);
};

describe('the load client speaks with Centrifugo', () => {
  const CHANNELS = ['bench-1', 'bench-2'];

  const centrifugo = async (lives: string[] = []) => {
    const subscribers = new Map<string, Set<WebSocket>>();
    return standIn('/connection/websocket', (socket) => {
      let connected = false;
      return (text) => {
        if (text === '{}') {
          lives.push(text);
          return;
        }
        const { id, connect, subscribe, publish } = JSON.parse(text);
        if (connect !== undefined) {
          connected = true;
          const ping = '{}';
          socket.send(`{"id":${id},"connect":{"client":"a","version":"6.0.0","ping":25,"pong":true}}\n${ping}`);
        } else if (!connected) socket.close(3501, 'bad request');
        else if (subscribe !== undefined) {
          const { channel } = subscribe;
          subscribers.set(channel, (subscribers.get(channel) ?? new Set()).add(socket));
          socket.send(JSON.stringify({ id, subscribe: {} }));
          socket.send(JSON.stringify({ push: { channel, join: { info: { user: '', client: 'a' } } } }));
        } else if (publish.channel === 'forbidden')
          socket.send(JSON.stringify({ id, error: { code: 103, message: 'permission denied' } }));
        else {
          const push = JSON.stringify({ push: { channel: publish.channel, pub: { data: publish.data, offset: id } } });
          for (const one of subscribers.get(publish.channel) ?? []) one.send(`${push}\n`);
          socket.send(JSON.stringify({ id, publish: {} }));
        }
      };
    });
  };

  it('connects, subscribes, publishes, and reads several replies in a frame', async () => {
    const lives: string[] = [];
    const url = await centrifugo(lives);
    const people = { tokens: ['', '', ''], listeners: ['', ''], channelIds: CHANNELS };
    areMeasured(await measureAll({ protocol: 'centrifugo', url, ...people }));
    expect(lives).toHaveLength(people.tokens.length + people.listeners.length);
  });

  it('and says what it refuses', async () => {
    const url = await centrifugo();
    const talkers = createTalkers({ warmUpMs: 0 });
    await talkers.connect({ protocol: 'centrifugo', url, tokens: [''], listeners: [], channelIds: ['forbidden'] });
    await expect(talkers.flood({ ms: 10, window: 1 })).rejects.toThrow('permission denied');
    const refusing = await standIn('/', (socket) => () => socket.close(3501, 'bad request'));
    const connect = { protocol: 'centrifugo' as const, tokens: [''], listeners: [], channelIds: CHANNELS };
    await expect(createTalkers().connect({ ...connect, url: refusing })).rejects.toThrow('3501 bad request');
    await expect(createTalkers().connect({ ...connect, url: `${refusing}other` })).rejects.toThrow('HTTP/1.1 400');
  });
});

describe('the load client speaks with Tinode', () => {
  const PERSON = 'alice:alice123';

  const tinode = async (pongs: string[] = []) => {
    const topics = new Map<string, Set<WebSocket>>();
    let seq = 0;
    return standIn('/v0/channels', (socket) => {
      let [greeted, known] = [false, false];
      const answer = (id: string, code: number, text: string, more: object = {}) =>
        socket.send(JSON.stringify({ ctrl: { id, ...more, code, text, ts: '2026-11-28T12:00:00.000Z' } }));
      socket.on('pong', (payload) => pongs.push(String(payload)));
      socket.ping('encore là ?');
      return (text) => {
        const { hi, login, sub, pub } = JSON.parse(text);
        if (hi !== undefined) {
          greeted = true;
          answer(hi.id, 201, 'created', { params: { build: 'standin', ver: '0.22' } });
        } else if (login !== undefined) {
          known = greeted && login.scheme === 'basic' && atob(login.secret) === PERSON;
          answer(login.id, known ? 200 : 401, known ? 'ok' : 'authentication failed');
        } else if (!known) answer((sub ?? pub).id, 401, 'authentication required');
        else if (sub !== undefined) {
          const topic = sub.topic.startsWith('new') ? `grp${topics.size}` : sub.topic;
          topics.set(topic, (topics.get(topic) ?? new Set()).add(socket));
          answer(sub.id, 200, 'ok', { topic, params: { acs: { mode: 'JRWPASDO' } } });
          socket.send(JSON.stringify({ pres: { topic: 'me', src: topic, what: 'on' } }));
        } else if (topics.get(pub.topic)?.has(socket)) {
          seq += 1;
          answer(pub.id, 202, 'accepted', { topic: pub.topic, params: { seq } });
          const { topic, content } = pub;
          const data = JSON.stringify({ data: { topic, from: 'usrA', ts: '2026-11-28T12:00:00.000Z', seq, content } });
          for (const one of topics.get(topic)!) if (one !== socket || pub.noecho !== true) one.send(data);
        } else answer(pub.id, 409, 'must attach first', { topic: pub.topic });
      };
    });
  };

  it('makes topics, joins them, publishes, and answers pings', async () => {
    const pongs: string[] = [];
    const url = await tinode(pongs);
    const channelIds = [...(await makeTopics(url, PERSON, 2))];
    expect(channelIds).toEqual(['grp0', 'grp1']);
    const people = { tokens: [PERSON, PERSON, PERSON], listeners: [PERSON, PERSON] };
    areMeasured(await measureAll({ protocol: 'tinode', url, ...people, channelIds }));
    const sessions = 1 + people.tokens.length + people.listeners.length;
    expect(pongs).toEqual(new Array(sessions).fill('encore là ?'));
  });

  it('and says what it refuses', async () => {
    const url = await tinode();
    const connect = { protocol: 'tinode' as const, url, tokens: ['alice:wrong'], listeners: [], channelIds: ['grp0'] };
    await expect(createTalkers().connect(connect)).rejects.toThrow('authentication failed');
    await expect(makeTopics(url, 'alice:wrong', 1)).rejects.toThrow('authentication failed');
  });
});

describe('the load client speaks with Parley', () => {
  const parley = () => {
    const listeners = new Set<WebSocket>();
    return standIn('/gateway', (socket) => (text) => {
      const { op, d } = JSON.parse(text);
      if (op === 2 && d.token === 'unknown') socket.close(4004, 'Authentication failed.');
      else if (op === 2) {
        if (d.intents !== 0) listeners.add(socket);
        socket.send('{"t":"READY","s":1,"op":0,"d":{"session_id":"a","guilds":[]}}');
      } else {
        socket.send(JSON.stringify({ op: 101, d: { id: d.id, ok: d.channel_id !== 'forbidden', code: 'forbidden' } }));
        const create = JSON.stringify({ t: 'MESSAGE_CREATE', s: 2, op: 0, d: { content: d.content } });
        for (const one of listeners) one.send(create);
      }
    });
  };

  it('identifies, sends over the socket, and reads what is dispatched', async () => {
    const url = await parley();
    const people = { tokens: ['a', 'b', 'c'], listeners: ['d', 'e'], channelIds: ['1', '2'] };
    areMeasured(await measureAll({ protocol: 'parley', url, ...people }));
  });

  it('and says what it refuses', async () => {
    const url = await parley();
    const connect = { protocol: 'parley' as const, url, listeners: [] };
    await expect(createTalkers().connect({ ...connect, tokens: ['unknown'], channelIds: ['1'] })).rejects.toThrow(
      '4004 Authentication failed.',
    );
    const talkers = createTalkers({ warmUpMs: 0 });
    await talkers.connect({ ...connect, tokens: ['a'], channelIds: ['forbidden'] });
    await expect(talkers.flood({ ms: 10, window: 1 })).rejects.toThrow('were refused');
  });
});
