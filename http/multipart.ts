/** A form (`multipart/form-data`) as libraries send it in place of JSON: the JSON is its part `payload_json`. */

import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { fieldError, type ParleyError, parleyError } from '../schemas/errors.ts';

const JSON_PART = 'payload_json';
/** A name is at most this long in a refusal. */
const SHOWN_NAME = 100;

const refusalOf = (name: string, isFile: boolean): ParleyError =>
  isFile
    ? fieldError([name], 'FILES_UNSUPPORTED', 'This server takes no files yet: leave them out.')
    : fieldError([name], 'FIELD_UNSUPPORTED', `Send the fields as JSON, in the part ${JSON_PART}.`);

/** A form has one, so its bytes are those of the JSON. */
const repeated = (): ParleyError => fieldError([JSON_PART], 'FIELD_REPEATED', 'Send this part once.');

const malformed = (): ParleyError =>
  fieldError([], 'INVALID_FORM', 'The body is not a valid multipart/form-data form.');

/**
 * @param limit the most bytes of JSON
 * @returns the bytes of the JSON, none when there is no such part; or why the form is refused: at the first part that is
 * neither the JSON nor empty of meaning
 */
export const jsonOfForm = (
  request: IncomingMessage,
  contentType: string,
  limit: number,
): Promise<Either<ParleyError, Buffer>> =>
  new Promise((resolve) => {
    let json: Buffer = Buffer.alloc(0);
    let begun = false;
    let form: InstanceType<typeof Busboy>;
    try {
      // Every part as bytes, whatever it says it is.
      form = new Busboy({
        headers: { 'content-type': contentType },
        limits: { fileSize: limit, headerPairs: 16, headerSize: 8_192 },
        isPartAFile: () => true,
      });
    } catch {
      resolve(either.left(malformed()));
      return;
    }
    const settle = (result: Either<ParleyError, Buffer>): void => {
      request.unpipe(form);
      resolve(result);
    };
    form.on('file', (name: string | undefined, part: BusboyFileStream, filename: string | undefined) => {
      part.on('error', () => {});
      if (name !== JSON_PART) {
        part.resume();
        settle(either.left(refusalOf((name ?? '').slice(0, SHOWN_NAME), filename !== undefined)));
        return;
      }
      if (begun) {
        part.resume();
        settle(either.left(repeated()));
        return;
      }
      begun = true;
      const chunks: Buffer[] = [];
      part.on('data', (chunk: Buffer) => chunks.push(chunk));
      part.on('limit', () => settle(either.left(parleyError('payloadTooLarge'))));
      part.on('end', () => {
        json = Buffer.concat(chunks);
      });
    });
    form.on('finish', () => settle(either.right(json)));
    form.on('error', () => settle(either.left(malformed())));
    request.on('error', () => settle(either.left(malformed())));
    request.pipe(form);
  });
