/** Bodies of requests: JSON, or a form that holds it, and nothing else. */

import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { either } from 'fp-ts';
import { fieldError, parleyError } from '../schemas/errors.ts';
import { jsonError, parseJson } from '../schemas/json.ts';
import { Refused } from './errors.ts';
import { jsonOfForm } from './multipart.ts';
import { carriesBody } from './unread.ts';

const UTF_8 = /^"?utf-?8"?$/i;

/** What would make a body something other than text in UTF-8, as it was sent. */
const foreignForm = (headers: IncomingHttpHeaders): string | undefined => {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity')
    return 'This server takes no compressed bodies: send them without content-encoding';
  const charset = /;\s*charset\s*=\s*("[^"]*"|[^;\s]*)/i.exec(headers['content-type'] ?? '')?.[1];
  return charset === undefined || UTF_8.test(charset) ? undefined : 'Send JSON in UTF-8, without another charset';
};

/** @returns `undefined` for an empty body, which is none. @throws Refused for what is not JSON in UTF-8 */
const readJson = (body: Buffer): unknown => {
  if (body.length === 0) return undefined;
  // Decoding would put other characters in the place of what it cannot read.
  if (!isUtf8(body)) throw new Refused(fieldError([], 'INVALID_JSON', 'The body is not valid UTF-8.'));
  let value: unknown;
  try {
    value = parseJson(body.toString('utf8'));
  } catch {
    throw new Refused(fieldError([], 'INVALID_JSON', 'The body is not valid JSON.'));
  }
  const wrong = jsonError(value);
  if (wrong !== undefined) throw new Refused(wrong);
  return value;
};

/** Whether anything is sent. What it is stays in the stream. */
const isEmpty = async (payload: Readable): Promise<boolean> => {
  for await (const chunk of payload.iterator({ destroyOnReturn: false })) if (chunk.length > 0) return false;
  return true;
};

export const takeJsonOnly = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addHook('onRequest', async ({ raw: { headers } }) => {
    // Some libraries name a type for what they do not send.
    if (!carriesBody(headers)) delete headers['content-type'];
  });
  app.addHook('preParsing', async ({ headers }) => {
    const message = carriesBody(headers) ? foreignForm(headers) : undefined;
    if (message !== undefined) throw new Refused(parleyError('unsupportedMediaType', { message }));
  });
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) =>
    readJson(body),
  );
  app.addContentTypeParser('multipart/form-data', async ({ raw, headers, routeOptions }: FastifyRequest) => {
    const json = await jsonOfForm(raw, headers['content-type']!, routeOptions.bodyLimit);
    if (either.isLeft(json)) throw new Refused(json.left);
    return readJson(json.right);
  });
  app.addContentTypeParser('*', async (_request: FastifyRequest, payload: IncomingMessage) => {
    if (!(await isEmpty(payload))) throw new Refused(parleyError('unsupportedMediaType'));
  });
};
