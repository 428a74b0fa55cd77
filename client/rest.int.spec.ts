import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rest, RestError } from './rest.ts';

describe('the HTTP side of the client', () => {
  const seen: { method: string; url: string; authorization?: string; body: string }[] = [];
  const keys: unknown[] = [];
  let next: { status: number; body: string } = { status: 200, body: '{}' };
  let server: Server;
  let rest: Rest;

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { authorization } = request.headers;
      keys.push(request.headers['idempotency-key']);
      seen.push({ method: request.method!, url: request.url!, body, ...(authorization && { authorization }) });
      response.writeHead(next.status).end(next.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    rest = new Rest(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('sends requests as nobody, as a person or as a bot', async () => {
    next = { status: 200, body: '{"token":"t"}' };
    expect(await rest.login('ada', 'secret')).toEqual({ token: 't' });
    await rest.as('t').me();
    await rest.as('Bot b').me();
    expect(seen.map(({ method, url, authorization }) => [method, url, authorization])).toEqual([
      ['POST', '/v1/login', undefined],
      ['GET', '/v1/users/@me', 'Bearer t'],
      ['GET', '/v1/users/@me', 'Bot b'],
    ]);
    expect(JSON.parse(seen[0]!.body)).toEqual({ username: 'ada', password: 'secret' });
  });

  it('sends the key of a POST that may be repeated', async () => {
    await rest.request('POST', '/guilds', { name: 'x' }, 'one');
    await rest.createGuild('x');
    expect(keys.slice(-2)).toEqual(['one', undefined]);
  });

  it('has a method for what is done with threads', async () => {
    await rest.beginThread('5', '6', 'name', 60);
    await rest.createThread('5', 'name', 12);
    await rest.joinThread('7');
    await rest.leaveThread('7', '8');
    await rest.archivedThreads('5', 'private');
    expect(seen.slice(-5).map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', '/v1/channels/5/messages/6/threads', '{"name":"name","auto_archive_duration":60}'],
      ['POST', '/v1/channels/5/threads', '{"name":"name","type":12}'],
      ['PUT', '/v1/channels/7/thread-members/@me', ''],
      ['DELETE', '/v1/channels/7/thread-members/8', ''],
      ['GET', '/v1/channels/5/threads/archived/private', ''],
    ]);
  });

  it('encodes pages and emoji for the URL', async () => {
    next = { status: 200, body: '[]' };
    await rest.history('5', { before: '9', limit: 3 });
    next = { status: 204, body: '' };
    expect(await rest.react('5', '6', '👍')).toBeNull();
    expect(seen.slice(-2).map(({ url }) => url)).toEqual([
      '/v1/channels/5/messages?before=9&limit=3',
      '/v1/channels/5/messages/6/reactions/%F0%9F%91%8D/@me',
    ]);
  });

  it('throws refusals with their code', async () => {
    next = { status: 429, body: '{"code":0,"message":"slow down","retry_after":0.5}' };
    const refused = await rest.createGuild('x').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RestError);
    expect(refused).toMatchObject({ status: 429, code: 0, retryAfter: 0.5 });
  });

  it('also throws responses that are not JSON', async () => {
    next = { status: 502, body: '<html>' };
    await expect(rest.me()).rejects.toMatchObject({ status: 502, code: 0 });
  });
});
