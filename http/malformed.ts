/** Answers to what Node does not hand on as a request: what it cannot read, and what it takes for something else. */

import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody, type ParleyError, parleyError } from '../schemas/errors.ts';
import { answerRaw, JSON_TYPE, NO_STORE } from '../schemas/http/raw-answer.ts';

const errorOf = (code: string | undefined): ParleyError => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return parleyError('headersTooLarge');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return parleyError('payloadTooLarge');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return parleyError('requestTimeout');
    default:
      return parleyError('malformedRequest');
  }
};

/** Node's name for the response a socket is busy with. */
interface BusySocket extends Duplex {
  readonly _httpMessage?: ServerResponse | null;
}

/** @param refused hears of each refusal */
export const answerMalformed = (server: Server, refused: (error: ParleyError) => void): void => {
  const answer = (socket: Duplex, error: ParleyError, headers?: Readonly<Record<string, string>>): void => {
    refused(error);
    answerRaw(socket, error, headers);
  };
  server.removeAllListeners('clientError');
  server.on('clientError', (failure: NodeJS.ErrnoException, socket: BusySocket) => {
    // An answer that has begun cannot become another one.
    const begun = socket._httpMessage?.headersSent === true;
    if (begun || failure.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else answer(socket, errorOf(failure.code));
  });
  // This is no proxy.
  server.on('connect', (_request, socket) => answer(socket, parleyError('methodNotAllowed'), { allow: '' }));
  server.on('checkExpectation', (_request, response) => {
    const error = parleyError('expectationFailed');
    refused(error);
    const body = JSON.stringify(errorBody(error));
    const type = { 'content-type': JSON_TYPE, 'cache-control': NO_STORE, connection: 'close' };
    response.writeHead(error.status, { ...type, 'content-length': Buffer.byteLength(body) }).end(body);
  });
};
