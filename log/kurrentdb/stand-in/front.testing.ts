/** The port clients connect to. Forwards bytes, and can cut, freeze and refuse connections, all of them or one. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** One connection of a client. Frozen, it takes bytes and answers nothing, like that of a stopped process. */
export class Connection {
  /** Counts from 1, in the order of acceptance. */
  readonly number: number;
  /** Names of the calls that came over it. */
  readonly calls: string[] = [];
  private readonly client: Socket;
  private readonly server: Socket;
  private held: (() => void)[] | undefined;
  private frozen = false;
  isOpen = true;

  constructor(number: number, client: Socket, server: Socket, onClosed: (connection: Connection) => void) {
    this.number = number;
    this.client = client;
    this.server = server;
    for (const [one, to] of [
      [client, server],
      [server, client],
    ] as const) {
      one.setNoDelay();
      one.on('data', (bytes) => this.pass(() => to.write(bytes)));
      one.on('end', () => this.pass(() => to.end()));
      one.on('error', () => this.cut());
      one.on('close', () => {
        if (!this.isOpen) return;
        this.cut();
        onClosed(this);
      });
    }
  }

  /** Port of the server's side, by which a call tells its connection. */
  get innerPort(): number | undefined {
    return this.server.localPort;
  }

  /** Whether it holds something that was sent while it was frozen. */
  get holds(): boolean {
    return this.held !== undefined && this.held.length > 0;
  }

  freeze(): void {
    this.frozen = true;
    this.held ??= [];
  }

  /** What was sent in the meantime arrives now. */
  thaw(): void {
    this.frozen = false;
    const held = this.held ?? [];
    this.held = undefined;
    for (const pass of held) pass();
  }

  cut(): void {
    this.isOpen = false;
    this.client.destroy();
    this.server.destroy();
  }

  private pass(work: () => void): void {
    if (this.frozen) this.held!.push(work);
    else work();
  }
}

export class Front {
  private readonly server: Server;
  /** Those open now, in the order of acceptance. */
  readonly connections = new Set<Connection>();
  /** Connections accepted so far. */
  accepted = 0;
  /** Connections cut so far. */
  cut = 0;
  private port = 0;
  private frozen = false;

  constructor(behind: () => number) {
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      this.accepted += 1;
      const connection = new Connection(this.accepted, socket, connect(behind(), '127.0.0.1'), (closed) =>
        this.connections.delete(closed),
      );
      this.connections.add(connection);
      if (this.frozen) connection.freeze();
    });
  }

  /** @returns the port, the same each time */
  async listen(): Promise<number> {
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this.port;
  }

  /** Like a process that is stopped (SIGSTOP): connections are accepted and take bytes, but nothing is answered. */
  freeze(): void {
    this.frozen = true;
    for (const connection of this.connections) connection.freeze();
  }

  thaw(): void {
    this.frozen = false;
    for (const connection of this.connections) connection.thaw();
  }

  /** Answers for some milliseconds, then is frozen again. */
  async thawFor(ms: number): Promise<void> {
    this.thaw();
    await new Promise((resolve) => setTimeout(resolve, ms));
    this.freeze();
  }

  /** The connection of a call, by the peer's address that the call tells. */
  connectionOf(peer: string): Connection | undefined {
    const port = Number(peer.slice(peer.lastIndexOf(':') + 1));
    return [...this.connections].find(({ innerPort }) => innerPort === port);
  }

  cutAll(): void {
    this.cut += this.connections.size;
    for (const connection of this.connections) connection.cut();
    this.connections.clear();
  }

  /** Cuts every connection and accepts none until it listens again. */
  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.cutAll();
    this.frozen = false;
    await closed;
  }
}
