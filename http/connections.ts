/** Bounds of what connections leave in memory: requests in progress, and answers that their clients have not read. */

import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export interface ConnectionLimits {
  /** Requests of one connection in progress. Most clients send one at a time. */
  readonly pipelined: number;
  /** Bytes of answers that wait to be read, at one address and in all. */
  readonly untakenPerAddress: number;
  readonly untaken: number;
  /** How long a client may take nothing of what waits for it, in milliseconds. */
  readonly stallMs: number;
}

export const CONNECTION_LIMITS = {
  pipelined: 32,
  untakenPerAddress: 67_108_864,
  untaken: 268_435_456,
  stallMs: 30_000,
} satisfies ConnectionLimits;

/** Approximate bytes of an answer's headers. */
const HEADER_BYTES = 512;

/** A connection with answers that the kernel has not taken yet. */
interface Waiting {
  readonly socket: Socket;
  readonly address: string;
  bytes: number;
  answers: number;
  /** Stops listening for the end of the connection. */
  readonly release: () => void;
}

/**
 * Beyond a bound, the connection that has waited longest is closed: one whose client reads does not wait long. A single
 * answer may be larger than the bounds.
 */
export class Connections {
  private readonly limits: ConnectionLimits;
  private readonly onClose: (why: string, address?: string) => void;
  private readonly inProgress = new WeakMap<Socket, number>();
  /** In the order in which their clients began to leave something unread. */
  private readonly waiting = new Map<Socket, Waiting>();
  private readonly untakenOf = new Map<string, number>();
  private untaken = 0;

  /** @param onClose called when a connection is closed beyond a bound */
  constructor(limits: ConnectionLimits, onClose: (why: string, address?: string) => void) {
    this.limits = limits;
    this.onClose = onClose;
  }

  /** A request begins. @returns false if its connection has too many in progress; it is then closed */
  begins(socket: Socket, response: ServerResponse): boolean {
    const others = this.inProgress.get(socket) ?? 0;
    if (others >= this.limits.pipelined) {
      if (!socket.destroyed) this.onClose('too many requests of one connection in progress');
      socket.destroy();
      return false;
    }
    this.inProgress.set(socket, others + 1);
    response.once('finish', () => this.inProgress.set(socket, this.inProgress.get(socket)! - 1));
    return true;
  }

  /** An answer is about to be sent. It counts until the kernel has taken all of it. */
  answers(socket: Socket, response: ServerResponse, address: string, bytes: number): void {
    if (socket.destroyed) return;
    const size = HEADER_BYTES + bytes;
    const one = this.waiting.get(socket) ?? this.begin(socket, address);
    one.answers += 1;
    this.count(one, size);
    response.once('finish', () => {
      if (this.waiting.get(socket) !== one) return;
      one.answers -= 1;
      this.count(one, -size);
      if (one.answers === 0) this.forget(one);
    });
    this.makeRoom(one);
  }

  /** Nothing went either way for `stallMs`, or nothing at all since the last answer. */
  idle(socket: Socket): void {
    // An answer that is still being made is not the client's fault.
    if ((this.inProgress.get(socket) ?? 0) > 0 && socket.writableLength === 0) return;
    socket.destroy();
  }

  private begin(socket: Socket, address: string): Waiting {
    const gone = () => this.forget(one);
    const one: Waiting = { socket, address, bytes: 0, answers: 0, release: () => socket.off('close', gone) };
    socket.on('close', gone);
    this.waiting.set(socket, one);
    return one;
  }

  private count(one: Waiting, bytes: number): void {
    one.bytes += bytes;
    this.untaken += bytes;
    const left = (this.untakenOf.get(one.address) ?? 0) + bytes;
    if (left === 0) this.untakenOf.delete(one.address);
    else this.untakenOf.set(one.address, left);
  }

  private forget(one: Waiting): void {
    if (this.waiting.get(one.socket) !== one) return;
    this.waiting.delete(one.socket);
    this.count(one, -one.bytes);
    one.release();
  }

  private makeRoom(latest: Waiting): void {
    const { untaken, untakenPerAddress } = this.limits;
    const { address } = latest;
    for (const one of this.waiting.values()) {
      const tooMuchThere = (this.untakenOf.get(address) ?? 0) > untakenPerAddress;
      if (!tooMuchThere && this.untaken <= untaken) return;
      if (one === latest || (one.address !== address && this.untaken <= untaken)) continue;
      this.onClose('too much is left unread', one.address);
      this.forget(one);
      one.socket.destroy();
    }
  }
}

/** Whether the connection becomes a socket of the gateway, which has bounds of its own. */
const isUpgrade = ({ raw }: FastifyRequest): boolean => (raw as { readonly upgrade?: boolean }).upgrade === true;

/** Counts the requests and answers of a server's connections. */
export const boundConnections = (
  app: FastifyInstance,
  limits: ConnectionLimits,
  addressOf: (ip: string) => string,
): void => {
  const connections = new Connections(limits, (why, address) => {
    app.log.debug({ address, reason: why }, 'a connection is closed');
  });
  app.server.setTimeout(limits.stallMs, (socket: Socket) => connections.idle(socket));
  // Ahead of fastify: one packet may hold a thousand requests.
  const [handle] = app.server.listeners('request') as RequestListener[];
  app.server.removeAllListeners('request');
  app.server.on('request', (request, response) => {
    if (connections.begins(request.socket, response)) handle!(request, response);
  });
  // With a callback: fastify then writes the headers in the same turn, before those of a stream are flushed.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (!isUpgrade(request)) {
      const bytes =
        typeof payload === 'string' ? Buffer.byteLength(payload) : Buffer.isBuffer(payload) ? payload.length : 0;
      connections.answers(request.raw.socket, reply.raw, addressOf(request.ip), bytes);
    }
    done();
  });
};
