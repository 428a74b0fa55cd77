/** Parley's gateway, with commands over the socket (op 100). A session hears the channels of its person's guilds. */

import { kindOf, numberBetween, numberIn, type Protocol } from './protocol.ts';

const INTENTS = (1 << 0) | (1 << 9) | (1 << 15);
/** Of the ids of this process, so that none is taken for a repetition of another's. */
const ID = `${process.pid}-`;
/** Ids and outcomes are at the beginning. */
const OUTCOME_WITHIN = 160;

export const parley: Protocol = {
  opening: ({ person, listens }) => [
    JSON.stringify({ op: 2, d: { token: person, intents: listens ? INTENTS : 0, properties: {} } }),
  ],
  message: (channel, number, text) =>
    JSON.stringify({
      op: 100,
      d: { id: `${ID}${number}`, type: 'message.send', channel_id: channel, content: text },
    }),
  read(bytes, start, end, heard) {
    const kind = kindOf(bytes, start, end);
    if (kind.includes('"op":101')) {
      const number = numberBetween(bytes, start, `"id":"${ID}`, '"');
      const outcome = bytes.toString('latin1', start, Math.min(end, start + OUTCOME_WITHIN));
      heard.answered(number, outcome.includes('"ok":true') ? undefined : bytes.toString('utf8', start, end));
    } else if (kind.includes('"MESSAGE_CREATE"')) heard.delivered(numberIn(bytes, start));
    else if (kind.includes('"READY"')) heard.answered(0);
    else if (kind.includes('"op":9')) heard.answered(0, 'the session is refused');
  },
};
