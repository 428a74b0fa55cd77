/**
 * The gateway's route on a fastify instance. It frees what an upgrade leaves behind: an idle session may cost a few
 * kilobytes only.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { addressKey } from '../schemas/address.ts';
import { errorBody, parleyError } from '../schemas/errors.ts';
import { answerRaw } from '../schemas/http/raw-answer.ts';
import { compressionOf } from './compression.ts';
import type { Gateway } from './gateway.ts';
import { Closings } from './session.ts';
import { GATEWAY_SOCKETS, type GatewaySocket } from './websocket.ts';

/** Node's name for the response a socket is busy with. */
interface BusySocket extends Socket {
  _httpMessage?: ServerResponse | null;
}

/**
 * `@fastify/websocket` leaves an error listener that keeps request and reply, and the socket keeps the response it was
 * assigned to: about 3 KB for as long as the connection lasts.
 */
const letGo = (ws: WebSocket, socket: BusySocket): void => {
  ws.removeAllListeners('error');
  socket._httpMessage?.detachSocket(socket);
};

interface GatewayQuery {
  readonly v?: string;
  readonly encoding?: string;
  readonly compress?: string;
}

/** What this server speaks: v10 in JSON. What v9 has is the same. */
const speaks = ({ v = '10', encoding = 'json' }: GatewayQuery): boolean =>
  (v === '10' || v === '9') && encoding === 'json';

const ROOT = /^\/(?=\?|$)/;

/** Some libraries connect to the root of the host, which answers GET with something else. */
const takeRoot = (request: IncomingMessage): void => {
  request.url = request.url?.replace(ROOT, '/gateway');
};

/** What HTTP asks of an answer that names another protocol. */
const UPGRADE = { connection: 'upgrade, close', upgrade: 'websocket' };

/** Mounts `/gateway` and `/gateway/`, and takes upgrades at `/`. */
export const registerGateway = async (app: FastifyInstance, gateway: Gateway): Promise<void> => {
  await app.register(websocket, {
    options: GATEWAY_SOCKETS as unknown as NonNullable<WebsocketPluginOptions['options']>,
    preClose: (done) => done(),
  });
  const handle = (ws: WebSocket, request: FastifyRequest): void => {
    const { socket } = request.raw;
    letGo(ws, socket);
    gateway.accept((ws as GatewaySocket).over(socket), {
      host: request.headers.host,
      peer: addressKey(request.ip),
      compress: compressionOf((request.query as GatewayQuery).compress),
      ...(speaks(request.query as GatewayQuery) ? {} : { refuse: Closings.invalidVersion }),
    });
  };
  app.server.prependListener('upgrade', takeRoot);
  app.websocketServer.on('wsClientError', (_failure: Error, socket: Duplex) =>
    answerRaw(socket, parleyError('upgradeRequired'), { ...UPGRADE, 'sec-websocket-version': '13' }),
  );
  const explain = (_request: FastifyRequest, reply: FastifyReply) => {
    const error = parleyError('upgradeRequired');
    return reply.code(error.status).headers(UPGRADE).send(errorBody(error));
  };
  for (const url of ['/gateway', '/gateway/']) app.route({ method: 'GET', url, handler: explain, wsHandler: handle });
};
