/** Request bodies: JSON and nothing else. */
import type { FastifyInstance } from 'fastify';
import { fieldError, type ParleyError, parleyError } from '../../schemas/errors.ts';

/** An answer that is already decided, thrown through fastify to its error handler. */
export class Refused extends Error {
  readonly error: ParleyError;

  constructor(error: ParleyError) {
    super(error.name);
    this.error = error;
  }
}

const MAX_DEPTH = 64;
const QUOTE = 34;
const BACKSLASH = 92;

/** Whether brackets nest deeper than anything meaningful does; serialising such a value could exhaust the stack. */
const nestsTooDeep = (json: string): boolean => {
  if (json.length <= MAX_DEPTH * 2) return false;
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < json.length; i += 1) {
    const c = json.charCodeAt(i);
    if (quoted) {
      if (c === BACKSLASH) i += 1;
      else if (c === QUOTE) quoted = false;
    } else if (c === QUOTE) quoted = true;
    // Both `[ {` and both `] }` differ from each other in bit 5 only.
    else if ((c | 32) === 123) depth += 1;
    else if ((c | 32) === 125) depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
};

const malformed = (message: string): Refused => new Refused(fieldError([], 'INVALID_JSON', message));

const FILES = 'This server takes no files: send JSON (content-type: application/json) instead of multipart/form-data';

export const takeJsonOnly = (app: FastifyInstance): void => {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const text = body.toString('utf8');
    if (text.length === 0) return done(null, undefined);
    if (nestsTooDeep(text)) return done(malformed('The body nests too deeply.'));
    parse(request, text, (error, value) =>
      error === null ? done(null, value) : done(malformed('The body is not valid JSON.')),
    );
  });
  app.addContentTypeParser('multipart/form-data', (_request, _payload, done) =>
    done(new Refused(parleyError('unsupportedMediaType', { message: FILES }))),
  );
};
