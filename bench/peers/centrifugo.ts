/**
 * Centrifugo's client protocol, as JSON: https://centrifugal.dev/docs/transports/client_protocol. The server takes
 * everybody without a token (`client.insecure`).
 */

import { kindOf, numberBetween, numberIn, type Protocol } from './protocol.ts';

const NEWLINE = 10;
const PING = '{}';

export const centrifugo: Protocol = {
  opening: ({ channels, listens }) => {
    const commands = [{ connect: {} }, ...(listens ? channels.map((channel) => ({ subscribe: { channel } })) : [])];
    return commands.map((command, n) => JSON.stringify({ id: n + 1, ...command }));
  },
  message: (channel, number, text) => JSON.stringify({ id: number, publish: { channel, data: { text } } }),
  /** One frame holds any number of replies, one a line. */
  read(bytes, start, end, heard) {
    for (let from = start; from < end; ) {
      const newline = bytes.indexOf(NEWLINE, from);
      const to = newline === -1 || newline > end ? end : newline;
      const kind = kindOf(bytes, from, to);
      if (kind.startsWith('{"id":')) {
        const refusal = kind.includes('"error":') ? bytes.toString('utf8', from, to) : undefined;
        heard.answered(numberBetween(bytes, from, '"id":', ','), refusal);
      } else if (kind.startsWith('{"push":') && kind.includes('"pub":')) heard.delivered(numberIn(bytes, from));
      else if (kind === PING) heard.asked(PING);
      from = to + 1;
    }
  },
};
