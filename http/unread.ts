/**
 * What a client still sends when its request is answered early. Closing would reset the connection before the client can
 * read the answer, and an answer before the end breaks many clients: the rest is read first, and dropped.
 */

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** Most bytes that are read to be dropped: more than the largest upload that libraries take to be possible, 25 MiB. */
export const DROPPED_BYTES = 33_554_432;

export const carriesBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Reads the rest of a request. How long that may take is the server's limit for any request.
 * @returns whether all of it was read; false beyond `DROPPED_BYTES`, and when the client is gone
 */
export const dropRest = (request: IncomingMessage): Promise<boolean> =>
  new Promise((resolve) => {
    let left = DROPPED_BYTES;
    const settle = (whole: boolean): void => {
      request.off('data', count).off('end', ended).off('error', gone).off('close', gone);
      // What else comes is dropped too, until the connection is closed.
      request.resume();
      resolve(whole);
    };
    const count = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left < 0) settle(false);
    };
    const ended = (): void => settle(true);
    const gone = (): void => settle(false);
    request.on('data', count).on('end', ended).on('error', gone).on('close', gone);
    request.resume();
  });

const isRead = (request: IncomingMessage): boolean =>
  request.readableEnded || request.destroyed || !carriesBody(request.headers);

/** A stream begins at once: whoever made it has taken the whole request. */
const isStream = (payload: unknown): boolean =>
  typeof payload === 'object' && payload !== null && 'pipe' in payload && typeof payload.pipe === 'function';

/** No answer is sent before its request has been read. */
export const readBeforeAnswering = (app: FastifyInstance): void => {
  // With a callback: most answers wait for nothing, and go on in the same turn.
  app.addHook('onSend', ({ raw }, reply, payload, done) => {
    if (isRead(raw) || isStream(payload)) return done();
    void dropRest(raw).then((whole) => {
      if (whole) reply.removeHeader('connection');
      else reply.header('connection', 'close');
      done();
    });
  });
};
