/** An error as a whole HTTP answer, for connections on which there is no request to answer. */

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody, type ParleyError } from '../errors.ts';

/** Without a charset, which JSON has none of: several libraries compare the whole value. */
export const JSON_TYPE = 'application/json';
/** Answers are what one caller may see at one moment. */
export const NO_STORE = 'no-store';

const textOf = (error: ParleyError, headers: Readonly<Record<string, string>>): string => {
  const body = JSON.stringify(errorBody(error));
  const lines = Object.entries({
    'content-type': JSON_TYPE,
    'cache-control': NO_STORE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n${lines.join('')}\r\n${body}`;
};

/** Answers and ends the connection. */
export const answerRaw = (socket: Duplex, error: ParleyError, headers: Readonly<Record<string, string>> = {}): void => {
  socket.once('error', () => socket.destroy());
  socket.end(textOf(error, headers), () => socket.destroy());
};
