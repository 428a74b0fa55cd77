/** What unchanged libraries send, at the level of requests: `docs/http.md` says what is taken, and in which form. */

import type { AddressInfo } from 'node:net';
import { type DiscordAPIError, REST } from 'discord.js';
import type { FastifyInstance } from 'fastify';
import { either } from 'fp-ts';
import * as t from 'io-ts';
import { afterEach, describe, expect, it } from 'vitest';
import { commands } from '../commands/features/index.ts';
import { integerText, Snowflake } from '../schemas/codecs.ts';
import { type Route, route } from '../schemas/http/route.ts';
import { aServer, type Over } from './testing.ts';

const mine: Route = route({
  method: 'GET',
  path: '/users/@me/things/:thing',
  summary: 'Things',
  access: 'user',
  params: t.type({ thing: t.string }),
  answers: 'which thing',
  handle: async ({ params }) => either.right({ body: params }),
});
const ours: Route = route({
  method: 'GET',
  path: '/channels/:channel_id/short',
  summary: 'Of our own',
  access: 'user',
  ours: true,
  params: t.type({ channel_id: Snowflake }),
  query: t.partial({ limit: integerText(1, 100), before_id: Snowflake }),
  answers: 'its query',
  handle: async ({ query }) => either.right({ body: query }),
});
const bodyless: Route = route({
  method: 'PUT',
  path: '/pins/:thing',
  summary: 'Takes no body',
  access: 'user',
  answers: 'nothing',
  handle: async () => either.right({ status: 204 }),
});

const AUTH = { authorization: 'Bot good' };
const MESSAGES = '/api/v10/channels/1/messages';

let app: FastifyInstance;
const start = (over: Over = {}): void => {
  app = aServer({ routes: [mine, ours, bodyless], ...over });
};
afterEach(() => app.close());

const ask = (
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'OPTIONS',
  url: string,
  headers: object = {},
  payload?: string | Buffer,
) => app.inject({ method, url, headers: { ...AUTH, ...headers }, ...(payload === undefined ? {} : { payload }) });

describe('every answer', () => {
  it.each([
    ['a success', 'GET', '/v1/public', 200],
    ['health', 'GET', '/health', 200],
    ['readiness', 'GET', '/ready', 200],
    ['the description', 'GET', '/openapi.json', 200],
    ['an unknown path', 'GET', '/v1/nothing', 404],
    ['another method', 'PUT', '/v1/public', 405],
    ['a stranger', 'GET', '/v1/secret', 403],
    ['a path that cannot be read', 'GET', '/v1/%zz', 404],
    ['a fault', 'GET', '/v1/broken', 500],
  ] as const)('says of %s exactly that it is JSON, and that nobody keeps it', async (_, method, url, status) => {
    start();
    const answer = await ask(method, url);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(() => answer.json()).not.toThrow();
  });
});

describe('HEAD', () => {
  it.each(['/v1/public', '/v1/nothing', '/v1/secret', '/v1/channels/1/short?limit=0', '/', '/docs', '/health'])(
    'is answered as GET is, without the body: %s',
    async (url) => {
      start();
      const [got, head] = [await ask('GET', url), await ask('HEAD', url)];
      const varying = { date: undefined, 'x-request-id': undefined };
      expect({ ...head.headers, ...varying }).toEqual({ ...got.headers, ...varying });
      expect([head.statusCode, head.body]).toEqual([got.statusCode, '']);
    },
  );

  it('begins no stream', async () => {
    start();
    const head = await ask('HEAD', '/v1/endless');
    expect([head.statusCode, head.body]).toEqual([200, '']);
    expect(head.headers).not.toHaveProperty('content-length');
  });

  it('is told of, and is no way to what is not GET', async () => {
    start();
    expect((await ask('PUT', '/v1/public')).headers.allow).toBe('GET, HEAD');
    expect((await ask('HEAD', MESSAGES)).statusCode).toBe(405);
  });
});

describe('the version in a path', () => {
  it.each(['/v1', '/api/v10', '/api/v9', '/api'])('may be that of %s', async (prefix) => {
    start();
    const answer = await ask('POST', `${prefix}/channels/12/messages?limit=3`, {}, undefined);
    expect(answer.statusCode).toBe(400);
    const sent = await app.inject({
      ...{ method: 'POST', url: `${prefix}/channels/12/messages?limit=3`, headers: AUTH },
      payload: { content: 'hi' },
    });
    expect([sent.statusCode, sent.json().params]).toEqual([200, { channel_id: '12' }]);
  });

  it.each(['/api/v8/public', '/api/v11/public', '/api/v10', '/api', '/api/', '/api/v9', '/v9/public', '/public'])(
    'is not that of %s',
    async (url) => {
      start();
      expect((await ask('GET', url)).statusCode).toBe(404);
    },
  );
});

describe('an escaped path', () => {
  it.each([
    ['%40me', 'x', 'x'],
    ['@me', '%31%32', '12'],
    ['%40%6De', 'a%3Ab%2Cc%3B%24%26%2B%3D', 'a:b,c;$&+='],
    ['@me', 'a%2Fb', 'a/b'],
    ['@me', 'a%3Fb%23c', 'a?b#c'],
    ['@me', '100%25', '100%'],
    ['@me', '%2540me', '%40me'],
    ['@me', '%F0%9F%91%8D', '👍'],
    ['@me', 'a%20b', 'a b'],
  ])('is the same path: %s %s', async (who, thing, read) => {
    start();
    for (const prefix of ['/v1', '/api/v9', '/%61pi/v10']) {
      const answer = await ask('GET', `${prefix}/users/${who}/things/${thing}?x=%40`);
      expect([answer.statusCode, answer.json()]).toEqual([200, { thing: read }]);
    }
  });

  it.each(['%zz', '%', 'a%', '%4', '%ff', '%F0%9F', '100%25%'])(
    'that cannot be decoded stands for itself: %s',
    async (thing) => {
      start({ corsOrigins: ['https://chat.example'] });
      for (const method of ['GET', 'OPTIONS'] as const) {
        const headers = { origin: 'https://chat.example', 'access-control-request-method': 'GET' };
        const answer = await ask(method, `/v1/users/@me/things/${thing}?x=%zz`, headers);
        expect(answer.statusCode).toBe(method === 'GET' ? 200 : 204);
        expect(answer.headers['access-control-allow-origin']).toBe('https://chat.example');
        if (method === 'GET') expect(answer.json()).toEqual({ thing: thing.replace('%25', '%') });
      }
      expect((await ask('GET', `/v1/${thing}`)).statusCode).toBe(404);
    },
  );

  it('of any length is read like a short one', async () => {
    start();
    const long = 'x'.repeat(8_000);
    expect((await ask('GET', `/v1/users/@me/things/${long}`)).json()).toEqual({ thing: long });
    expect((await ask('GET', `/v1/channels/${long}/short`)).statusCode).toBe(400);
  });

  it('is the same path for another method too', async () => {
    start();
    expect((await ask('PUT', '/v1/users/%40me/things/1')).statusCode).toBe(405);
  });
});

describe('the scheme of a token', () => {
  it.each(['Bot good', 'Bearer root'])('comes to the tokens as sent: %s', async (authorization) => {
    start();
    expect((await app.inject({ url: '/v1/users/@me/things/1', headers: { authorization } })).statusCode).toBe(200);
  });
});

describe('an empty body', () => {
  const types = [
    'application/octet-stream',
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'what?',
  ];

  it.each(types)('is none, whatever its type: %s', async (type) => {
    start();
    for (const length of [{}, { 'content-length': '0' }])
      expect((await ask('PUT', '/v1/pins/1', { 'content-type': type, ...length })).statusCode).toBe(204);
  });

  it.each(types.slice(0, -2))('in chunks is none: %s', async (type) => {
    start();
    await app.listen();
    const { port } = app.server.address() as AddressInfo;
    const answer = await fetch(`http://127.0.0.1:${port}/v1/pins/1`, {
      ...{ method: 'PUT', headers: { ...AUTH, 'content-type': type }, duplex: 'half' },
      body: new ReadableStream({ start: (stream) => stream.close() }),
    } as RequestInit);
    expect(answer.status).toBe(204);
  });

  it('does not make up for a field that is required', async () => {
    start();
    const answer = await ask('POST', MESSAGES, { 'content-type': 'application/octet-stream' });
    expect([answer.statusCode, answer.json().errors]).toEqual([400, { content: expect.anything() }]);
  });
});

describe('a form in place of JSON', () => {
  const JSON_BODY = '{"content":"hi"}';
  const part = (head: string, body: string) => `${head}\r\n\r\n${body}\r\n`;
  const named = 'Content-Disposition: form-data; name="payload_json"';
  const file = 'Content-Disposition: form-data; name="files[0]"; filename="a.txt"';
  const form = (boundary: string, ...parts: string[]) =>
    `${parts.map((one) => `--${boundary}\r\n${one}`).join('')}--${boundary}--\r\n`;
  const sent = (type: string, body: string) => ask('POST', MESSAGES, { 'content-type': type }, Buffer.from(body));

  it.each([
    ['a name in quotes', 'x', 'x', part(named, JSON_BODY)],
    ['a name without quotes', 'x', 'x', part('Content-Disposition: form-data; name=payload_json', JSON_BODY)],
    ['a type of the part', 'x', 'x', part(`${named}\r\nContent-Type: application/json`, JSON_BODY)],
    ['a type and charset', 'x', 'x', part(`${named}\r\nContent-Type: application/json; charset=utf-8`, JSON_BODY)],
    ['the type first', 'x', 'x', part(`content-type: application/json\r\n${named.toLowerCase()}`, JSON_BODY)],
    ['a file name of the JSON', 'x', 'x', part(`${named}; filename="blob"`, JSON_BODY)],
    ['a boundary in quotes', '"a b/c:d"', 'a b/c:d', part(named, JSON_BODY)],
    ['a long boundary', '----WebKitFormBoundary7MA4YWxk', '----WebKitFormBoundary7MA4YWxk', part(named, JSON_BODY)],
    ['a quoted plain boundary', '"xyz"', 'xyz', part(named, JSON_BODY)],
  ])('is read with %s', async (_, given, boundary, body) => {
    start();
    const answer = await sent(`multipart/form-data; boundary=${given}`, form(boundary, body));
    expect([answer.statusCode, answer.json().body]).toEqual([200, { content: 'hi' }]);
  });

  it.each([
    ['after the JSON', [part(named, JSON_BODY), part(file, 'hello')], 'files[0]'],
    ['before the JSON', [part(file, 'hello'), part(named, JSON_BODY)], 'files[0]'],
    ['of an older name', [part('Content-Disposition: form-data; name=file0; filename=a.txt', 'hello')], 'file0'],
    [
      'with a name in two forms',
      [part("Content-Disposition: form-data; name=file; filename=a.txt; filename*=utf-8''a.txt", 'hello')],
      'file',
    ],
    [
      'that is large',
      [part(`${file}\r\nContent-Type: application/octet-stream`, 'x'.repeat(3_000_000)), part(named, JSON_BODY)],
      'files[0]',
    ],
  ])('with a file %s is refused at the file', async (_, parts, field) => {
    start();
    const answer = await sent('multipart/form-data; boundary=x', form('x', ...parts));
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 50035,
      errors: { [field]: { _errors: [{ code: 'FILES_UNSUPPORTED' }] } },
    });
  });

  it.each([
    ['without a boundary', 'multipart/form-data', 'x', 400],
    ['that ends too early', 'multipart/form-data; boundary=x', `--x\r\n${named}\r\n\r\n{"con`, 400],
    ['with JSON that is none', 'multipart/form-data; boundary=x', form('x', part(named, '{')), 400],
    ['with text that is no UTF-8', 'multipart/form-data; boundary=x', form('x', part(named, '"\ud800"')), 400],
    [
      'with a field beside the JSON',
      'multipart/form-data; boundary=x',
      form('x', part('Content-Disposition: form-data; name=content', 'hi')),
      400,
    ],
    [
      'with JSON that is too long',
      'multipart/form-data; boundary=x',
      form('x', part(named, `"${'x'.repeat(1_100_000)}"`)),
      413,
    ],
    ['without any part', 'multipart/form-data; boundary=x', '--x--\r\n', 400],
    [
      'with its JSON twice',
      'multipart/form-data; boundary=x',
      form('x', part(named, JSON_BODY), part(named, JSON_BODY)),
      400,
    ],
    ['with a prototype', 'multipart/form-data; boundary=x', form('x', part(named, '{"__proto__":{}}')), 400],
  ])('%s is refused', async (_, type, body, status) => {
    start();
    const answer = await sent(type, body);
    expect([answer.statusCode, answer.json()]).toEqual([
      status,
      expect.objectContaining({ message: expect.any(String) }),
    ]);
  });
});

describe('an id as a number', () => {
  it.each([
    ['dm.create', '{"recipient_id": 1097123456789012345}', { recipient_id: '1097123456789012345' }],
    ['dm.create', '{"recipient_id":7}', { recipient_id: '7' }],
    ['bot.add', '{"application_id":1097123456789012345}', { application_id: '1097123456789012345' }],
    [
      'message.send',
      '{"message_reference":{"message_id":1097123456789012345,"channel_id":1097123456789012346}}',
      { message_reference: { message_id: '1097123456789012345' } },
    ],
    [
      'message.send',
      '{"allowed_mentions":{"users":[1097123456789012345, "8", 9],"roles":[10]}}',
      { allowed_mentions: { users: ['1097123456789012345', '8', '9'], roles: ['10'] } },
    ],
    ['message.send', '{"content":"x","nonce":1097123456789012345}', { nonce: '1097123456789012345' }],
    ['message.send', '{"content":"x","nonce":5}', { nonce: 5 }],
    [
      'channel.create',
      '{"name":"x","permission_overwrites":[{"id":1097123456789012345,"type":0,"allow":null,"deny":1024}]}',
      { permission_overwrites: [{ id: '1097123456789012345', allow: null, deny: '1024' }] },
    ],
  ])('of %s keeps its digits: %s', async (type, body, read) => {
    const { body: codec } = commands.find((one) => one.type === type)!;
    const echo = route({
      ...{ method: 'POST', path: '/echo', summary: 'Echo', access: 'user', answers: 'its body', body: codec! },
      handle: async (request) => either.right({ body: request.body }),
    });
    start({ routes: [echo] });
    const answer = await ask('POST', '/v1/echo', { 'content-type': 'application/json' }, body);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject(read);
  });
});

describe('a parameter in the query', () => {
  const CODE = [{ code: 'UNKNOWN_PARAMETER', message: expect.stringContaining('before_id') }];

  it.each(['/v1', '/api/v10'])(
    'that a path of our own does not have is refused under %s, naming the nearest',
    async (prefix) => {
      start();
      const answer = await ask('GET', `${prefix}/channels/1/short?befor=1&limit=2`);
      expect([answer.statusCode, answer.json().errors]).toEqual([400, { befor: { _errors: CODE } }]);
      const known = await ask('GET', `${prefix}/channels/1/short?before_id=1&limit=2`);
      expect([known.statusCode, known.json()]).toEqual([200, { before_id: '1', limit: 2 }]);
    },
  );

  it('that a path of Discord’s does not have means nothing', async () => {
    start();
    expect((await ask('GET', '/v1/users/@me/things/1?with_something=true')).statusCode).toBe(200);
  });
});

describe('a page of another origin', () => {
  const PAGE = 'https://chat.example';
  const preflight = {
    origin: PAGE,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  };

  it('may call the API where it is configured, without cookies', async () => {
    start({ corsOrigins: ['https://other.example', PAGE] });
    const asked = await ask('OPTIONS', MESSAGES, preflight);
    expect([asked.statusCode, asked.body]).toEqual([204, '']);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-headers': 'authorization',
      'access-control-allow-methods': expect.stringContaining('PATCH'),
    });
    const refused = await app.inject({ url: '/v1/secret', headers: { origin: PAGE } });
    expect(refused.statusCode).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe(PAGE);
    expect(refused.headers['access-control-expose-headers']).toContain('X-RateLimit-Remaining');
    for (const { headers } of [asked, refused]) expect(headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('may be any', async () => {
    start({ corsOrigins: ['*'] });
    expect((await ask('GET', '/v1/public', { origin: PAGE })).headers['access-control-allow-origin']).toBe('*');
  });

  it.each([
    ['not named', ['https://other.example'], MESSAGES],
    ['not on a path outside the API', ['*'], '/metrics'],
    ['not by default', [], MESSAGES],
  ])('may not: %s', async (_, corsOrigins, url) => {
    start({ corsOrigins });
    for (const method of ['OPTIONS', 'GET'] as const)
      expect((await ask(method, url, preflight)).headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('an upload that is refused early', () => {
  const JSON_TYPE = { 'content-type': 'application/json' };
  const cases: readonly (readonly [string, string, Record<string, string>, number])[] = [
    ['is too large', MESSAGES, { ...AUTH, ...JSON_TYPE }, 413],
    ['is no JSON', MESSAGES, { ...AUTH, 'content-type': 'text/plain' }, 415],
    ['is compressed', MESSAGES, { ...AUTH, ...JSON_TYPE, 'content-encoding': 'br' }, 415],
    ['has no type that can be read', MESSAGES, { ...AUTH, 'content-type': 'x' }, 415],
    ['is a stranger’s', MESSAGES, JSON_TYPE, 401],
    ['has no path', '/api/v10/nothing', { ...AUTH, ...JSON_TYPE }, 404],
    ['has another method', '/v1/public', { ...AUTH, ...JSON_TYPE }, 405],
    ['has a path that cannot be read', '/v1/%zz', { ...AUTH, ...JSON_TYPE }, 404],
    ['is a malformed form', MESSAGES, { ...AUTH, 'content-type': 'multipart/form-data; boundary=x' }, 400],
  ];
  const PIECE = Buffer.alloc(65_536, 'x');
  const listening = async (): Promise<string> => {
    start();
    await app.listen();
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  };
  /** 2 MiB in pieces, each in a turn of its own. */
  const pieces = () => {
    let left = 32;
    return new ReadableStream({
      async pull(stream) {
        await new Promise((turn) => setImmediate(turn));
        left -= 1;
        if (left < 0) stream.close();
        else stream.enqueue(PIECE);
      },
    });
  };
  const twenty = <T>(one: () => Promise<T>) => Promise.all(Array.from({ length: 20 }, one));
  const twentyTimes = (value: unknown) => Array.from({ length: 20 }, () => value);

  it.each(cases)('because it %s: all of twenty get the answer', async (_, path, headers, status) => {
    const url = (await listening()) + path;
    const answers = await twenty(async () => {
      const answer = await fetch(url, { method: 'POST', headers, body: pieces(), duplex: 'half' } as RequestInit);
      return [answer.status, typeof ((await answer.json()) as { message?: unknown }).message];
    });
    expect(answers).toEqual(twentyTimes([status, 'string']));
  });

  it('because of its file: discord.js gets the answer all of twenty times', async () => {
    const rest = new REST({ api: `${await listening()}/api`, version: '10', retries: 0, rejectOnRateLimit: ['/'] });
    rest.setToken('good');
    const files = [{ name: 'a.bin', data: Buffer.alloc(2_000_000) }];
    const answers = await twenty(() =>
      rest.post('/channels/1/messages', { body: { content: 'x' }, files }).catch((failure: DiscordAPIError) => failure),
    );
    expect(answers).toEqual(twentyTimes(expect.objectContaining({ status: 400, code: 50035 })));
  });
});
