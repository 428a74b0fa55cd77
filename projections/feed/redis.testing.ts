/** For specs of the feed: a proxy to Redis that can do whatever a network can. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface RoughWay {
  readonly url: string;
  /** Number of connections that were cut. */
  readonly cuts: number;
  /** Cuts every connection. New ones are accepted at once. */
  cut(): void;
  /** Delay in milliseconds, each way. */
  delay(ms: number): void;
  /** Discards all data from now on, each way; connections stay open. */
  swallow(lost: boolean): void;
  /** Cuts all connections and leads new ones elsewhere. */
  leadTo(port: number): void;
  close(): Promise<void>;
}

export const roughWay = async (to: number): Promise<RoughWay> => {
  let port = to;
  let delayMs = 0;
  let silent = false;
  let cuts = 0;
  const pairs = new Set<readonly [Socket, Socket]>();

  const cut = () => {
    cuts += pairs.size;
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };

  const carry = (from: Socket, into: Socket) => {
    let due = 0;
    from.on('data', (data) => {
      if (silent) return;
      const now = performance.now();
      // Keeps the order, however the delay changes.
      due = Math.max(due, now + delayMs);
      if (due <= now) into.write(data);
      else setTimeout(() => into.destroyed || into.write(data), due - now);
    });
    from.on('error', () => {});
    from.on('close', () => into.destroy());
  };

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.once('close', () => pairs.delete(pair));
    carry(client, upstream);
    carry(upstream, client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts;
    },
    cut,
    delay: (ms) => {
      delayMs = ms;
    },
    swallow: (lost) => {
      silent = lost;
    },
    leadTo: (next) => {
      port = next;
      cut();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      await closed;
    },
  };
};
