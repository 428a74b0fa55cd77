/**
 * A TCP front with a fixed address before a server that comes and goes, like a load balancer. While there is no server
 * it accepts connections and holds them. When the server dies, it cuts the connections to it.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Front {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Forwards held and new connections to the server at this port; alternates when there are several. */
  forwardTo(...ports: readonly number[]): void;
  /** Cuts forwarded connections and holds new ones. */
  hold(): void;
  /** Connections waiting for a server. */
  held(): number;
  close(): Promise<void>;
}

export const startFront = async (): Promise<Front> => {
  let targets: readonly number[] = [];
  let accepted = 0;
  const waiting = new Set<Socket>();
  const forwarded = new Map<Socket, Socket>();

  const cut = (client: Socket) => {
    waiting.delete(client);
    forwarded.get(client)?.destroy();
    forwarded.delete(client);
    client.destroy();
  };

  const forward = (client: Socket) => {
    waiting.delete(client);
    accepted += 1;
    const upstream = connect({ port: targets[accepted % targets.length]!, host: '127.0.0.1', noDelay: true });
    forwarded.set(client, upstream);
    let connected = false;
    upstream.once('connect', () => {
      connected = true;
      client.pipe(upstream);
      upstream.pipe(client);
    });
    upstream.on('error', () => {
      if (connected) return;
      // Refused: the server has just died. Nothing was passed on yet, so the next server can have the connection.
      forwarded.delete(client);
      if (!client.destroyed) waiting.add(client);
    });
    upstream.on('close', () => {
      if (!connected) return;
      forwarded.delete(client);
      // Sends out the server's last bytes.
      client.destroySoon();
    });
  };

  const server = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    client.on('error', () => cut(client));
    client.on('close', () => cut(client));
    if (targets.length === 0) waiting.add(client);
    else forward(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    forwardTo: (...next) => {
      targets = next;
      for (const client of waiting) forward(client);
    },
    hold: () => {
      targets = [];
      for (const client of [...forwarded.keys()]) cut(client);
    },
    held: () => waiting.size,
    close: async () => {
      for (const client of [...waiting, ...forwarded.keys()]) cut(client);
      server.close();
      await once(server, 'close');
    },
  };
};
