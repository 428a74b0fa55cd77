import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serverAt } from './remote.ts';

let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, answer) => {
    if (request.url === '/v1/refused') answer.writeHead(403).end('{"message":"Missing Access"}');
    else if (request.url === '/v1/other') answer.writeHead(502).end('<html>');
    else if (request.url === '/v1/nothing') answer.writeHead(204).end();
    else answer.end(JSON.stringify({ token: request.headers.authorization, path: request.url }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

describe('a running server on the command line', () => {
  it('is not used without an address, and needs a token', () => {
    expect(serverAt({})).toBeUndefined();
    vi.stubEnv('PARLEY_TOKEN', undefined);
    expect(() => serverAt({ url })).toThrow('PARLEY_TOKEN');
    vi.stubEnv('PARLEY_TOKEN', 'of the environment');
    expect(serverAt({ url })).toBeDefined();
    vi.unstubAllEnvs();
  });

  it('is called under /v1 with the token, whatever the address ends in', async () => {
    for (const ending of ['', '/', '//']) {
      const asked = await serverAt({ url: url + ending, token: 'secret' })!.post('/things', { a: 1 });
      expect(asked).toEqual({ token: 'secret', path: '/v1/things' });
    }
    expect(await serverAt({ url, token: 't' })!.post('/nothing', {})).toBeNull();
  });

  it('says why it refused, also when something other than Parley answers', async () => {
    const at = serverAt({ url, token: 't' })!;
    await expect(at.get('/refused')).rejects.toThrow('the server answered 403: Missing Access');
    await expect(at.get('/other')).rejects.toThrow('the server answered 502: <html>');
    await expect(serverAt({ url: 'http://127.0.0.1:1', token: 't' })!.get('/x')).rejects.toThrow('no server answers');
  });
});
