/**
 * The gateway's route on a fastify instance. It frees what an upgrade leaves behind: an idle session may cost a few
 * kilobytes only.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { WebSocket } from 'ws';
import { addressKey } from '../schemas/address.ts';
import { errorBody, parleyError } from '../schemas/errors.ts';
import { answerRaw } from '../schemas/http/raw-answer.ts';
import { compressionOf } from './compression.ts';
import type { Gateway, Handshake } from './gateway.ts';
import { Closings } from './session.ts';
import type { SocketProcesses } from './socket-processes/pool.ts';
import { GATEWAY_SOCKETS, type GatewaySocket } from './websocket.ts';

/** Node's name for the response a socket is busy with. */
interface BusySocket extends Socket {
  _httpMessage?: ServerResponse | null;
}

/** The socket keeps the response it was assigned to: with what that keeps, 3 KB for as long as the connection lasts. */
const letGo = (socket: BusySocket): void => {
  socket._httpMessage?.detachSocket(socket);
};

interface UpgradeRequest extends IncomingMessage {
  readonly upgrade?: boolean;
}

interface GatewayQuery {
  readonly v?: string;
  readonly encoding?: string;
  readonly compress?: string;
}

/** What this server speaks: v10 in JSON. What v9 has is the same. */
const speaks = ({ v = '10', encoding = 'json' }: GatewayQuery): boolean =>
  (v === '10' || v === '9') && encoding === 'json';

const handshakeOf = ({ headers: { host }, ip, query }: FastifyRequest): Handshake => ({
  host,
  peer: addressKey(ip),
  compress: compressionOf((query as GatewayQuery).compress),
  ...(speaks(query as GatewayQuery) ? {} : { refuse: Closings.invalidVersion }),
});

const ROOT = /^\/(?=\?|$)/;

/** Some libraries connect to the root of the host, which answers GET with something else. */
const takeRoot = (request: IncomingMessage): void => {
  request.url = request.url?.replace(ROOT, '/gateway');
};

/** What HTTP asks of an answer that names another protocol. */
const UPGRADE = { connection: 'upgrade, close', upgrade: 'websocket' };

/**
 * Mounts `/gateway` and `/gateway/`, and takes upgrades at `/`.
 * @param processes which hold the sockets; absent where this process does
 */
export const registerGateway = async (
  app: FastifyInstance,
  gateway: Pick<Gateway, 'accept' | 'hasRoom'>,
  processes?: SocketProcesses,
): Promise<void> => {
  await app.register(websocket, {
    options: GATEWAY_SOCKETS as unknown as NonNullable<WebsocketPluginOptions['options']>,
    preClose: (done) => done(),
  });
  const handle = (ws: WebSocket, request: FastifyRequest): void => {
    const { socket } = request.raw;
    letGo(socket);
    // One of the plugin's, which keeps request and reply.
    ws.removeAllListeners('error');
    gateway.accept((ws as GatewaySocket).over(socket), handshakeOf(request));
  };
  /** What came after the requests for an upgrade. */
  const heads = new WeakMap<IncomingMessage, Buffer>();
  const handOver = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const { raw } = request;
    const head = heads.get(raw);
    if (processes === undefined || head === undefined) {
      done();
      return;
    }
    // The address is known until the socket is gone.
    const handshake = handshakeOf(request);
    // One that is closed at once is not worth the way.
    const link = gateway.hasRoom(handshake.peer) ? processes.take(raw, head) : undefined;
    if (link === undefined) done();
    else {
      reply.hijack();
      letGo(raw.socket);
      gateway.accept(link, handshake);
    }
  };
  app.server.prependListener('upgrade', (request: IncomingMessage, _socket: Duplex, head: Buffer) => {
    takeRoot(request);
    if (processes !== undefined) heads.set(request, head);
  });
  app.websocketServer.on('wsClientError', (_failure: Error, socket: Duplex) =>
    answerRaw(socket, parleyError('upgradeRequired'), { ...UPGRADE, 'sec-websocket-version': '13' }),
  );
  // Nobody reads further requests from it: an answer without an upgrade is its last, whoever gave it.
  app.addHook('onResponse', ({ raw }, _reply, done) => {
    if ((raw as UpgradeRequest).upgrade === true) raw.socket.destroySoon();
    done();
  });
  const explain = (_request: FastifyRequest, reply: FastifyReply) => {
    const error = parleyError('upgradeRequired');
    return reply.code(error.status).headers(UPGRADE).send(errorBody(error));
  };
  for (const url of ['/gateway', '/gateway/'])
    app.route({ method: 'GET', url, onRequest: handOver, handler: explain, wsHandler: handle });
};
