/** The port clients connect to. Forwards bytes, and can cut every connection or refuse new ones. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Front {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  /** Connections accepted so far. */
  accepted = 0;
  /** Connections cut so far. */
  cut = 0;
  private port = 0;

  constructor(behind: () => number) {
    this.server = createServer((socket) => {
      this.accepted += 1;
      const other = connect(behind(), '127.0.0.1');
      for (const [one, to] of [
        [socket, other],
        [other, socket],
      ] as const) {
        this.sockets.add(one);
        one.setNoDelay().pipe(to);
        one.on('error', () => to.destroy());
        one.on('close', () => {
          this.sockets.delete(one);
          to.destroy();
        });
      }
    });
  }

  /** @returns the port, the same each time */
  async listen(): Promise<number> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this.port;
  }

  cutAll(): void {
    this.cut += this.sockets.size / 2;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Cuts every connection and accepts none until it listens again. */
  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cutAll();
    await closed;
  }
}
