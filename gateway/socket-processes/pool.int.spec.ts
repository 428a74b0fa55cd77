import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestClock } from '../../schemas/clock.testing.ts';
import { openSocketProcesses, type SocketProcesses, type SocketProcessMetrics, socketProcessesWanted } from './pool.ts';

describe('the number of socket processes', () => {
  it.each<[number | null, number, readonly (readonly [sessions: number, processes: number])[]]>([
    [2, 1, [[0, 2]]],
    [
      8,
      4,
      [
        [0, 8],
        [100_000, 8],
      ],
    ],
    [
      null,
      3,
      [
        [0, 0],
        [499, 0],
        [500, 1],
        [1_000, 2],
        [100_000, 2],
      ],
    ],
    [
      null,
      8,
      [
        [0, 0],
        [1_000, 2],
        [100_000, 5],
      ],
    ],
    [null, 64, [[100_000, 5]]],
  ])('with the setting %j on %i cores follows the sessions', (threads, cores, expected) => {
    for (const [sessions, processes] of expected)
      expect(socketProcessesWanted(threads, cores, () => sessions)?.()).toBe(processes);
  });

  it.each([
    [1, 8],
    [null, 1],
    [null, 2],
  ])('is none with the setting %j on %i cores', (threads, cores) => {
    expect(socketProcessesWanted(threads, cores, () => 100_000)).toBeUndefined();
  });
});

describe('socket processes', () => {
  let folder: string;
  let clock: TestClock;
  let said: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-pool-'));
    clock = new TestClock();
    said = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** One that runs this program, once that has said that it is up. */
  const running = (text: string, metrics?: SocketProcessMetrics): SocketProcesses => {
    const program = join(folder, 'program.cjs');
    const whole = `process.on('disconnect', process.exit); process.send('up'); setInterval(() => {}, 1e6); ${text}`;
    writeFileSync(program, whole);
    const logger = { debug: () => {}, warn: () => {}, error: (_: object, what: string) => said.push(what) };
    const more = metrics === undefined ? {} : { metrics };
    return openSocketProcesses({ wanted: () => 1, logger, clock, program: pathToFileURL(program), ...more })!;
  };
  /** It does not end by itself. */
  const closing = async (processes: SocketProcesses): Promise<void> => {
    const closed = processes.close();
    await clock.advance(5_000);
    await closed;
  };

  it('that do nothing they are told are ended, and others take their place', async () => {
    const processes = running('');
    await expect.poll(() => processes.up).toBe(1);
    // It is given something to do, found busy, and found not to have gone on.
    await clock.advance(5_000);
    await clock.advance(5_000);
    expect(said).toEqual([]);
    await clock.advance(5_000);
    await expect.poll(() => processes.up).toBe(0);
    expect(said).toEqual([expect.stringContaining('stands still'), expect.stringContaining('another takes its place')]);
    await clock.advance(1_000);
    await expect.poll(() => processes.up).toBe(1);
    await closing(processes);
    expect(processes.up).toBe(0);
  });

  it('that cannot be started are tried again, and the server goes on', async () => {
    const { execPath } = process;
    process.execPath = join(folder, 'nothing');
    const processes = running('');
    process.execPath = execPath;
    await expect.poll(() => said).toEqual([expect.stringContaining('another takes its place')]);
    await clock.advance(1_000);
    await expect.poll(() => processes.up).toBe(1);
    await closing(processes);
  });

  it('are no more once a later build has removed their program, which is said once', async () => {
    const processes = running('setTimeout(process.exit, 10);');
    await expect.poll(() => said).toEqual([expect.stringContaining('another takes its place')]);
    rmSync(join(folder, 'program.cjs'));
    await clock.advance(1_000);
    await clock.advance(1_000);
    const request = { method: 'GET', headers: {}, socket: {} } as unknown as IncomingMessage;
    expect(processes.take(request, Buffer.alloc(0))).toBeUndefined();
    expect(said.slice(1)).toEqual([expect.stringContaining('a later build has removed the program')]);
    expect(processes.up).toBe(0);
    await processes.close();
  });

  it('say what they take of the machine, each under a number that the next in its place has', async () => {
    const told: unknown[] = [];
    const metrics: SocketProcessMetrics = {
      usage: (process, now) => told.push([process, now]),
      ended: (process) => told.push([process, 'ended']),
    };
    const say = (cpuSeconds: number) => `process.send({ cpuSeconds: ${cpuSeconds}, residentBytes: 1000 });`;
    const processes = running(`${say(2)} ${say(5)} setTimeout(process.exit, 50);`, metrics);
    const now = (cpuSeconds: number) => ['1', { cpuSeconds, residentBytes: 1000, sockets: 0 }];
    await expect.poll(() => told).toEqual([now(2), now(3), ['1', 'ended']]);
    await clock.advance(1_000);
    await expect.poll(() => told.slice(3)).toEqual([now(2), now(3), ['1', 'ended']]);
    await processes.close();
  });

  it('lose a socket that is overtaken on its way, or that is to end while they stand still', async () => {
    // Of the sockets that come, it says only of the second that it has: a batch of one entry.
    const arrived = '[11, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0]';
    const processes = running(
      `let come = 0; process.on('message', () => { if (++come === 2) require('node:fs').writeSync(4, Buffer.from(${arrived})); });`,
    );
    await expect.poll(() => processes.up).toBe(1);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gone: string[] = [];
    const handOver = async (name: string) => {
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
      const [socket] = (await once(server, 'connection')) as [Socket];
      const key = 'dGhlIHNhbXBsZSBub25jZQ==';
      const headers = { upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key };
      const request = { method: 'GET', headers, socket } as unknown as IncomingMessage;
      const link = processes.take(request, Buffer.alloc(0))!;
      link.attach({ received: () => {}, gone: () => gone.push(name) });
      return { link, client };
    };
    const ends = [await handOver('first'), await handOver('second')];
    await expect.poll(() => gone).toEqual(['first']);
    ends[1]!.link.terminate();
    await expect.poll(() => gone).toEqual(['first', 'second']);
    for (const { client } of ends) client.destroy();
    server.close();
    await closing(processes);
  });
});
