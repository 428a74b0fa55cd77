/** Whatever comes over a connection is answered with a message and a code. */

import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from '../schemas/errors.ts';
import { answerWhileStarting, type Starting } from './starting.ts';
import { aServer } from './testing.ts';

const STARTING_PORT = 24_873;

let app: FastifyInstance;
let starting: Starting;
let ports: Record<'open' | 'starting', number>;

beforeAll(async () => {
  app = aServer();
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  starting = await answerWhileStarting({ host: '127.0.0.1', port: STARTING_PORT }, () => []);
  ports = { open: Number(new URL(url).port), starting: STARTING_PORT };
});
afterAll(async () => {
  await app.close();
  await starting.close();
});

/** All that is answered to these bytes until the server ends the connection. */
const answerTo = async (bytes: string | Buffer, port = ports.open) => {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const closed = new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject));
  socket.write(bytes);
  await closed;
  const [head, body] = Buffer.concat(chunks).toString().split('\r\n\r\n') as [string, string];
  return { status: Number(head.split(' ')[1]), head, body: JSON.parse(body) as { message: string; code: number } };
};

const HOST = 'host: x\r\n';
const POST = `POST /v1/channels/1/messages HTTP/1.1\r\n${HOST}authorization: Bot good\r\ncontent-type: application/json\r\n`;

const unreadable: readonly (readonly [what: string, bytes: string, status: number])[] = [
  ['of a method that no server knows', `BREW / HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['of two lengths', `${POST}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['with headers of 20 KB', `GET /health HTTP/1.1\r\n${HOST}x-a: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['to a proxy', `CONNECT x:1 HTTP/1.1\r\n${HOST}\r\n`, 405],
  ['that expects something else', `${POST}expect: 200-ok\r\ncontent-length: 2\r\n\r\n{}`, 417],
];

it.each(unreadable)('a request %s is answered', async (_, bytes, status) => {
  for (const port of Object.values(ports)) {
    const answer = await answerTo(bytes, port);
    expect(answer).toMatchObject({ status, body: { message: expect.any(String), code: expect.any(Number) } });
  }
});

it('a request whose body is in pieces that are none is answered', async () => {
  expect((await answerTo(`${POST}transfer-encoding: chunked\r\n\r\nzz\r\n`)).status).toBe(400);
});

it('a request without Host is told so', async () => {
  const { status, body } = await answerTo('GET /health HTTP/1.1\r\nconnection: close\r\n\r\n');
  expect([status, body.message]).toEqual([400, 'An HTTP/1.1 request has a Host header']);
  expect((await answerTo('GET /health HTTP/1.0\r\n\r\n')).status).toBe(200);
});

it('an answer that has begun is not followed by another', async () => {
  const socket = connect(ports.open, '127.0.0.1');
  const chunks: Buffer[] = [];
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('data', (chunk) => {
    if (chunks.push(chunk) === 1) socket.write('nonsense\r\n\r\n');
  });
  socket.write(`GET /v1/endless HTTP/1.1\r\n${HOST}\r\n`);
  await closed;
  expect(
    Buffer.concat(chunks)
      .toString()
      .match(/HTTP\/1\.1/g),
  ).toHaveLength(1);
});

describe('a body', () => {
  const send = (payload: string | Buffer, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/v1/channels/1/messages',
      headers: { authorization: 'Bot good', 'content-type': 'application/json', ...headers },
      payload,
    });
  const said = JSON.stringify({ content: 'é' });

  it('that is not UTF-8 is refused, not changed', async () => {
    for (const bytes of [[0xc3, 0x28], [0xff], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
      const answer = await send(Buffer.from([...Buffer.from('{"content":"a'), ...bytes, ...Buffer.from('"}')]));
      expect([answer.statusCode, answer.json().code]).toEqual([400, catalogue.invalidForm.code]);
      expect(JSON.stringify(answer.json().errors)).toContain('UTF-8');
    }
  });

  it.each(['utf-16', 'latin1', '"iso-8859-1"', 'x'])('in the charset %s is refused', async (charset) => {
    const answer = await send(said, { 'content-type': `application/json; charset=${charset}` });
    expect([answer.statusCode, answer.json().message]).toEqual([415, expect.stringContaining('UTF-8')]);
  });

  it.each(['utf-8', 'UTF-8', '"utf-8"', 'utf8'])('in the charset %s is taken', async (charset) => {
    const answer = await send(said, { 'content-type': `application/json; charset=${charset}` });
    expect(answer.json().body).toEqual({ content: 'é' });
  });

  it.each(['gzip', 'br', 'identity, gzip', 'x'])('with the content-encoding %s is refused', async (encoding) => {
    const answer = await send(gzipSync(said), { 'content-encoding': encoding });
    expect([answer.statusCode, answer.json().message]).toEqual([415, expect.stringContaining('content-encoding')]);
  });

  it('with the content-encoding identity is taken', async () => {
    expect((await send(said, { 'content-encoding': 'identity' })).statusCode).toBe(200);
  });
});
