/**
 * Tinode's client protocol, as JSON: https://github.com/tinode/chat/blob/master/docs/API.md. All sessions are those of one
 * account, which may have any number of them.
 */

import { MiniSocket } from '../support/mini-socket.ts';
import { kindOf, numberIn, type Protocol } from './protocol.ts';

const VERSION = '0.22';
const ALREADY_SUBSCRIBED = 304;

const login = (person: string): readonly object[] => [
  { hi: { id: '1', ver: VERSION, ua: 'parley-bench/1.0' } },
  { login: { id: '2', scheme: 'basic', secret: Buffer.from(person).toString('base64') } },
];

/** 300 asks for something more, such as a proof of an e-mail address. */
const isAccepted = (code: number): boolean => (code >= 200 && code < 300) || code === ALREADY_SUBSCRIBED;

export const tinode: Protocol = {
  /** Whoever sends to a topic must have joined it. */
  opening: ({ person, channels }) =>
    [...login(person), ...channels.map((topic, n) => ({ sub: { id: String(n + 3), topic } }))].map((command) =>
      JSON.stringify(command),
    ),
  message: (topic, number, content) => JSON.stringify({ pub: { id: String(number), topic, noecho: true, content } }),
  read(bytes, start, end, heard) {
    const kind = kindOf(bytes, start, end);
    if (kind.startsWith('{"data":')) heard.delivered(numberIn(bytes, start));
    else if (kind.startsWith('{"ctrl":{"id":')) {
      const { id, code } = JSON.parse(bytes.toString('utf8', start, end)).ctrl as { id: string; code: number };
      heard.answered(Number(id), isAccepted(code) ? undefined : bytes.toString('utf8', start, end));
    }
  },
};

interface Control {
  readonly code: number;
  readonly topic?: string;
}

/** Makes new topics of the account, which stay. @returns their names @throws with what the server said */
export const makeTopics = (url: string, person: string, count: number): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const topics: string[] = [];
    const make = (n: number) => ({ sub: { id: String(n + 3), topic: `new${n}` } });
    const commands = [...login(person), ...Array.from({ length: count }, (_, n) => make(n))];
    let said = 0;
    const socket = new MiniSocket(url, take, (why) => reject(new Error(`Tinode: ${why}`)));
    const say = () => {
      socket.send(JSON.stringify(commands[said]));
      said += 1;
    };
    function take(bytes: Buffer, start: number, end: number): void {
      const text = bytes.toString('utf8', start, end);
      const { ctrl } = JSON.parse(text) as { ctrl?: Control & { readonly id?: string } };
      if (ctrl?.id !== String(said)) return;
      if (said > 2) topics.push(ctrl.topic!);
      if (said < commands.length && isAccepted(ctrl.code)) say();
      else {
        if (isAccepted(ctrl.code)) resolve(topics);
        else reject(new Error(`Tinode refuses: ${text}`));
        socket.socket.destroy();
      }
    }
    say();
  });
