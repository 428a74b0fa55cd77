/** The least work with which a server can notify thousands of sockets: a loop that writes prepared bytes. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { serverFrame } from '../support/mini-socket.ts';

const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
const READY = serverFrame('{"op":0,"s":0,"t":"READY","d":{"session_id":"none","guilds":[]}}');
const COMMAND = Buffer.from('"op":100');

const sockets = new Set<Socket>();
let frame: Buffer = Buffer.alloc(0);

const commandsIn = (chunk: Buffer): number => {
  let count = 0;
  for (let at = chunk.indexOf(COMMAND); at !== -1; at = chunk.indexOf(COMMAND, at + 1)) count += 1;
  return count;
};

const tell = (sender: Socket, count: number): void => {
  const bytes = count === 1 ? frame : Buffer.concat(Array.from({ length: count }, () => frame));
  for (const socket of sockets) if (socket !== sender) socket.write(bytes);
};

export const bare = {
  async listen(_: null): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      socket.once('data', () => {
        socket.write(UPGRADE);
        socket.write(READY);
      });
      socket.on('data', (chunk) => {
        const commands = commandsIn(chunk);
        if (commands > 0) tell(socket, commands);
      });
    });
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },

  /** The bytes to send for every message. */
  use(payload: string): void {
    frame = serverFrame(payload);
  },
};

export type Bare = typeof bare;
