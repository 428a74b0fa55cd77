import * as fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { aServer } from './testing.ts';

describe('bad input', () => {
  let app: FastifyInstance;

  afterEach(() => app.close());

  it('never answers 500, whatever is sent', async () => {
    app = aServer();
    const nasty = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '%',
        '%zz',
        '%00',
        '\u0000',
        '__proto__',
        'constructor',
        '..',
        '\ud800',
        '9'.repeat(400),
        '1e999',
      ),
    );
    const urls = fc.tuple(nasty, nasty).map(([a, b]) => {
      const part = (raw: string) => (raw.startsWith('%') ? raw : encodeURIComponent(Buffer.from(raw).toString()));
      return `/v1/channels/${part(a)}/messages?limit=${part(b)}&${part(a)}=1`;
    });
    const bodies = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc
        .jsonValue()
        .map((embed) => JSON.stringify({ content: '\ud800\u0000', embeds: [{ x: embed }, { __proto__: 1 }] })),
      fc.constantFrom('{"content":1e999}', '{"content":"\\ud800","constructor":{"prototype":1}}', '[[['),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    const types = fc.constantFrom(
      'application/json',
      'text/plain',
      'multipart/form-data',
      'application/json; charset=x',
    );
    await fc.assert(
      fc.asyncProperty(
        urls,
        bodies,
        types,
        fc.constantFrom('POST', 'PUT', 'GET'),
        async (url, payload, type, method) => {
          const answer = await app.inject({
            method: method as 'POST',
            url: fc.sample(fc.constantFrom(url, '/api/v10/channels/5/messages'), 1)[0]!,
            headers: { authorization: 'Bot good', 'content-type': type },
            payload,
          });
          expect(answer.statusCode).toBeLessThan(500);
          if (answer.statusCode >= 400) expect(answer.json()).toHaveProperty('code');
        },
      ),
      { numRuns: 300 },
    );
  }, 120_000);
});
