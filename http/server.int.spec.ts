import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { UserRow } from '../projections/views/guild-views/view.ts';
import type { Actor } from '../schemas/actor.ts';
import { GOOD_STANDING, NEVER_SIGNED_OUT } from '../schemas/events/user.ts';
import { userStream } from '../schemas/streams.ts';
import type { Tokens } from '../vault/port.ts';
import { authenticator, type Owners } from './server.ts';
import { aPerson, aServer, endless, type Over, routes, within } from './testing.ts';

describe('the HTTP server', () => {
  let app: FastifyInstance;
  let lines: string[] = [];

  const start = (over: Over = {}) => {
    lines = [];
    app = aServer(over, lines);
  };

  afterEach(() => app.close());

  const auth = { authorization: 'Bot good' };
  const send = (payload: unknown, headers: Record<string, string> = {}, url = '/v1/channels/1/messages') =>
    app.inject({ method: 'POST', url, headers: { ...auth, ...headers }, payload: payload as string });

  it('responds the same under /v1 and /api/v10', async () => {
    start();
    for (const prefix of ['/v1', '/api/v10']) {
      const answer = await send({ content: 'hi' }, {}, `${prefix}/channels/12/messages?limit=3`);
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({
        params: { channel_id: '12' },
        query: { limit: 3 },
        body: { content: 'hi' },
        user: '7',
      });
    }
  });

  it('waits for views that do not know the owner of a token yet, and refuses the token of nobody', async () => {
    const [token, late, nobody] = ['Bearer of', '12', '13'];
    const tokens = {
      verify: async (given: string) => ({ userId: given.slice(token.length), generation: 0 }),
    } as Tokens;
    const signedOut = NEVER_SIGNED_OUT;
    const row = { id: late, kind: 'person', signedOut, standing: GOOD_STANDING } as UserRow;
    let held = 0;
    let arrives = true;
    const owners: Owners = {
      guilds: { user: async (id) => (id === late && held === 5 ? row : undefined), administrators: async () => [] },
      log: {
        streamHead: async (stream) =>
          stream === userStream(late) ? { stream, sequence: 1, position: 5 } : { stream, sequence: 0, position: 0 },
      },
      viewsHold: async (position) => {
        if (arrives) held = position;
        return arrives;
      },
    };
    start({ authenticate: authenticator(tokens, owners) });
    const sent = (id: string) => send({ content: 'hi' }, { authorization: token + id });
    expect((await sent(nobody)).statusCode).toBe(401);
    arrives = false;
    const refused = await sent(late);
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1']);
    arrives = true;
    expect((await sent(late)).statusCode).toBe(200);
  });

  it('tells at its root what it is, to browsers as a page', async () => {
    start();
    const page = await app.inject({ url: '/', headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.body).toContain('href="/docs"');
    const text = await app.inject({ url: '/', headers: { accept: '*/*' } });
    expect([text.statusCode, text.headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
    for (const body of [page.body, text.body])
      for (const way of ['/docs', '/gateway', '/api']) expect(body).toContain(way);
  });

  it('tells whoever opens the link of an invite how to join, whatever its code', async () => {
    start();
    const pages = await Promise.all(['/invite/abc', '/invite/x'].map((url) => app.inject({ url })));
    for (const { statusCode, headers, body } of pages) {
      expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(body).toContain('POST /v1/invites/');
    }
  });

  it('names each invalid field', async () => {
    start();
    const answer = await send({ content: '', embeds: [1] });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 50035,
      message: 'Invalid Form Body',
      errors: { content: { _errors: [{ code: 'BASE_TYPE_BAD_LENGTH' }] }, embeds: { 0: { _errors: [{}] } } },
    });
    expect((await send({ content: 'x' }, {}, '/v1/channels/abc/messages')).json().errors).toHaveProperty('channel_id');
    expect((await send({ content: 'x' }, {}, '/v1/channels/1/messages?limit=0')).json().errors).toHaveProperty('limit');
    expect((await send(undefined)).json().errors).toHaveProperty('content');
  });

  it.each(['{', '', 'nul', '"\u0000', '{"content":"x","__proto__":{}}', '['.repeat(200) + ']'.repeat(200)])(
    'refuses the malformed body %j as an invalid form',
    async (payload) => {
      start();
      const answer = await send(payload, { 'content-type': 'application/json' });
      expect([answer.statusCode, answer.json().code]).toEqual([400, 50035]);
    },
  );

  it('refuses other content types', async () => {
    start();
    expect((await send('content=x', { 'content-type': 'application/x-www-form-urlencoded' })).statusCode).toBe(415);
  });

  it('refuses a body that is too large', async () => {
    start();
    const answer = await send(JSON.stringify({ content: 'x'.repeat(2_000_000) }), {
      'content-type': 'application/json',
    });
    expect([answer.statusCode, answer.json().code]).toEqual([413, 40005]);
  });

  it('distinguishes unknown paths from wrong methods', async () => {
    start();
    const unknown = await app.inject({ url: '/v1/nothing' });
    expect([unknown.statusCode, unknown.json()]).toEqual([404, { message: '404: Not Found', code: 0 }]);
    const wrong = await app.inject({ method: 'DELETE', url: '/api/v10/public?x=1' });
    expect([wrong.statusCode, wrong.headers.allow, wrong.json()]).toEqual([
      405,
      'GET, HEAD',
      { message: '405: Method Not Allowed', code: 0 },
    ]);
  });

  it('answers 401 without a valid token, before it reads the body, and 403 to non-administrators', async () => {
    start();
    const stranger = await app.inject({
      method: 'POST',
      url: '/v1/channels/1/messages',
      headers: { 'content-type': 'application/json', authorization: 'Bearer bad' },
      payload: '{',
    });
    expect([stranger.statusCode, stranger.json()]).toEqual([401, { message: '401: Unauthorized', code: 0 }]);
    const person = await app.inject({ url: '/v1/secret', headers: auth });
    expect([person.statusCode, person.json().code]).toEqual([403, 50001]);
    const root = await app.inject({ url: '/v1/secret', headers: { authorization: 'Bearer root' } });
    expect([root.statusCode, root.json()]).toEqual([200, 'secret']);
  });

  it('refuses requests beyond the global limit, with all headers', async () => {
    start({ state: { ...within, allowed: false, remaining: 0, resetAfter: 0.25 } });
    const answer = await send({ content: 'x' });
    expect(answer.statusCode).toBe(429);
    expect(answer.json()).toEqual({ message: 'You are being rate limited.', code: 0, retry_after: 0.25, global: true });
    expect(answer.headers).toMatchObject({
      'x-ratelimit-limit': '50',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset-after': '0.250',
      'x-ratelimit-bucket': 'all',
      'x-ratelimit-scope': 'global',
      'x-ratelimit-global': 'true',
      'retry-after': '1',
    });
    expect(Number(answer.headers['x-ratelimit-reset'])).toBeGreaterThan(Date.now() / 1000 - 5);
  });

  it('says in seconds when to retry', async () => {
    start();
    const answer = await app.inject({ url: '/v1/busy' });
    expect([answer.statusCode, answer.headers['retry-after'], answer.json().retry_after]).toEqual([503, '1', 0.5]);
  });

  it('keeps a plain X-Request-Id and makes one otherwise', async () => {
    start();
    const given = await app.inject({ url: '/v1/public', headers: { 'x-request-id': 'abc-1' } });
    expect([given.headers['x-request-id'], given.json().correlationId]).toEqual(['abc-1', 'abc-1']);
    const made = await app.inject({ url: '/v1/public', headers: { 'x-request-id': 'a b' } });
    expect(made.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
    expect((await app.inject({ url: '/v1/%zz' })).headers['x-request-id']).toBeDefined();
  });

  it('trusts a proxy only when configured to', async () => {
    const headers = { 'x-forwarded-for': '9.9.9.9' };
    start();
    expect((await app.inject({ url: '/v1/public', headers })).json().address).toBe('127.0.0.1');
    await app.close();
    start({ trustedProxies: ['127.0.0.0/8'] });
    expect((await app.inject({ url: '/v1/public', headers })).json().address).toBe('9.9.9.9');
  });

  it('answers its own fault with a 500 without details, and logs it', async () => {
    start();
    const answer = await app.inject({ url: '/v1/broken', headers: { 'x-request-id': 'fault-1' } });
    expect([answer.statusCode, answer.json()]).toEqual([500, { message: 'Internal Server Error', code: 0 }]);
    expect(lines.join('')).toContain('fault of ours');
    expect(lines.join('')).toContain('fault-1');
  });

  it('logs neither message text nor tokens', async () => {
    start();
    await send({ content: 'the quick fox' });
    expect(lines.join('')).toContain('/v1/channels/:channel_id/messages');
    expect(lines.join('')).not.toMatch(/quick fox|Bot good/);
  });

  it('reports that it is alive, and whether it is ready, with reasons', async () => {
    start();
    expect((await app.inject({ url: '/health' })).statusCode).toBe(200);
    expect((await app.inject({ url: '/ready' })).json()).toEqual({ ready: true, reasons: [], degraded: [] });
    await app.close();
    start({ reasons: ['views are behind'] });
    const notReady = await app.inject({ url: '/ready' });
    expect([notReady.statusCode, notReady.json()]).toEqual([
      503,
      { ready: false, reasons: ['views are behind'], degraded: [] },
    ]);
  });

  it('exposes its metrics to Prometheus', async () => {
    start();
    await app.inject({ url: '/v1/nothing' });
    const { payload } = await app.inject({ url: '/metrics' });
    expect(payload).toContain('parley_http_seconds_count{method="GET",route="unknown",status="404"} 1');
    expect(payload).toContain('parley_refusals_total{error="notFound"} 1');
  });

  it('documents every route', async () => {
    start();
    const document = (await app.inject({ url: '/openapi.json' })).json();
    expect(Object.keys(document.paths)).toHaveLength(new Set(routes.map((one) => one.path)).size);
    const { payload, headers } = await app.inject({ url: '/docs' });
    expect(headers['content-type']).toContain('text/html');
    expect(payload).toContain('/channels/{channel_id}/messages');
    expect(payload).not.toMatch(/src=|href="http/);
  });

  it('sends streams as they come and ends them when the client disconnects', async () => {
    start();
    const { payload, headers } = await app.inject({ url: '/v1/lines' });
    expect([payload, headers['content-type']]).toEqual(['1\n2\n', 'application/x-ndjson']);
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    await new Promise<void>((resolve, reject) => {
      const request = get({ port, path: '/v1/endless' }, (response) => {
        response.once('data', () => {
          response.destroy();
          resolve();
        });
      });
      request.on('error', reject);
    });
    await expect.poll(() => endless.returned).toBe(true);
  });

  describe('a request that does not arrive', () => {
    const arrival = { requestMs: 150, headersMs: 75, checkMs: 10 };
    const HEAD = `POST /v1/channels/1/messages HTTP/1.1\r\nhost: here\r\nauthorization: Bot good\r\n`;
    const BODY = `${HEAD}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"content":"`;

    const listening = async () => {
      start({ arrival });
      await app.listen({ host: '127.0.0.1', port: 0 });
      return (app.server.address() as AddressInfo).port;
    };
    /** @returns what the server says until it closes the socket */
    const saying = async (port: number, text: string, drip = '') => {
      const socket = connect(port, '127.0.0.1');
      let said = '';
      socket.on('data', (bytes) => {
        said += String(bytes);
      });
      socket.on('error', () => {});
      socket.write(text);
      const dripping = setInterval(() => drip !== '' && socket.write(drip), 20);
      await once(socket, 'close');
      clearInterval(dripping);
      return said;
    };

    it.each([
      ['whose headers do not end', HEAD, ''],
      ['whose headers come slowly', HEAD, 'x-more: 1\r\n'],
      ['whose body does not end', BODY, ''],
      ['whose body comes slowly', BODY, 'x'],
    ])('%s: is given up', async (_, text, drip) => {
      const port = await listening();
      expect(await saying(port, text, drip)).toMatch(/^HTTP\/1\.1 408 /);
      expect(await new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count)))).toBe(0);
    });

    it('differs from an answer that takes longer, which goes on', async () => {
      const port = await listening();
      const [response] = (await once(get({ port, path: '/v1/endless' }), 'response')) as [IncomingMessage];
      response.resume();
      for (let n = 0; n < 3; n += 1) await saying(port, BODY);
      expect([response.complete, response.destroyed]).toEqual([false, false]);
      response.destroy();
    });
  });

  describe('ends a stream once its reader', () => {
    /** How a stream ends when its reader's right is lost after the first chunk. */
    const readUntilLost = async (path: string, after: Actor | undefined): Promise<'complete' | 'broken off'> => {
      let caller: Actor | undefined = aPerson(true);
      start({ authenticate: async () => caller });
      const url = await app.listen({ port: 0, host: '127.0.0.1' });
      const { body } = await fetch(url + path);
      const reader = body!.getReader();
      await reader.read();
      caller = after;
      for (;;) {
        const read = await reader.read().catch(() => undefined);
        if (read === undefined) return 'broken off';
        if (read.done) return 'complete';
      }
    };

    it('has signed out', async () => {
      expect(await readUntilLost('/v1/followed', undefined)).toBe('complete');
    });

    it('is no administrator any more', async () => {
      expect(await readUntilLost('/v1/followed', aPerson(false))).toBe('complete');
    });

    it('has signed out before the last line, which the reader must notice', async () => {
      expect(await readUntilLost('/v1/export', undefined)).toBe('broken off');
    });
  });
});
