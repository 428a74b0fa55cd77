import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFront } from './front.ts';

/** Echoes everything in capitals. */
const startShouter = async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (data) => socket.write(String(data).toUpperCase()));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const die = () => {
    for (const socket of sockets) socket.resetAndDestroy();
    server.close();
  };
  onTestFinished(die);
  return { port: (server.address() as AddressInfo).port, die };
};

const frontForTest = async () => {
  const front = await startFront();
  onTestFinished(() => front.close());
  return front;
};

const talkTo = async (port: number) => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
};

const says = async (socket: Socket, words: string): Promise<string> => {
  socket.write(words);
  const [answer] = await once(socket, 'data');
  return String(answer);
};

describe('the front', () => {
  it('passes bytes both ways', async () => {
    const [front, server] = [await frontForTest(), await startShouter()];
    front.forwardTo(server.port);
    expect(await says(await talkTo(front.port), 'hello')).toBe('HELLO');
  });

  it('holds connections while there is no server, and then passes on what they sent', async () => {
    const front = await frontForTest();
    const socket = await talkTo(front.port);
    const answer = says(socket, 'early');
    await expect.poll(() => front.held()).toBe(1);
    front.forwardTo((await startShouter()).port);
    expect(await answer).toBe('EARLY');
    expect(front.held()).toBe(0);
  });

  it('cuts connections when the server dies, and holds new ones until the next starts', async () => {
    const [front, first] = [await frontForTest(), await startShouter()];
    front.forwardTo(first.port);
    const socket = await talkTo(front.port);
    expect(await says(socket, 'one')).toBe('ONE');
    const cut = once(socket, 'close');
    first.die();
    await cut;
    const again = await talkTo(front.port);
    await expect.poll(() => front.held()).toBe(1);
    front.forwardTo((await startShouter()).port);
    expect(await says(again, 'two')).toBe('TWO');
  });

  it('can cut forwarded connections while the server lives', async () => {
    const [front, server] = [await frontForTest(), await startShouter()];
    front.forwardTo(server.port);
    const socket = await talkTo(front.port);
    await says(socket, 'one');
    const cut = once(socket, 'close');
    front.hold();
    await cut;
    await talkTo(front.port);
    await expect.poll(() => front.held()).toBe(1);
  });
});
