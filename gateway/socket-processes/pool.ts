/** The socket processes of a server: starts them, hands sockets to them and replaces those that end. */

import { existsSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../schemas/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Link } from '../link.ts';
import type { Usage } from './entries.ts';
import { SocketProcess } from './socket-process.ts';

/** The name of the built program, which the build puts in. */
declare const SOCKET_PROCESS: string;

/** The built program beside this code. Specs run unbuilt code and have no other processes. */
const PROGRAM = typeof SOCKET_PROCESS === 'undefined' ? undefined : new URL(SOCKET_PROCESS, import.meta.url);

/** How long after one has ended the next takes its place. */
const RESTART_MS = 1_000;
/** How often it is checked that each does what it is told. One that stands still at two checks in a row is ended. */
const LOOK_MS = 5_000;

export interface SocketProcesses {
  /**
   * Hands over the socket of a request for an upgrade. The handshake is answered elsewhere.
   * @returns `undefined` when this process must serve it itself: no other is up, or the request asks for something else
   */
  take(request: IncomingMessage, head: Buffer): Link | undefined;
  /** How many can take sockets. */
  readonly up: number;
  /** Ends them. */
  close(): Promise<void>;
}

const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Whether the handshake will succeed, but for the protocols that the client names. */
const isPlain = ({ headers, method }: IncomingMessage): boolean =>
  method === 'GET' &&
  headers.upgrade?.toLowerCase() === 'websocket' &&
  headers['sec-websocket-version'] === '13' &&
  KEY.test(headers['sec-websocket-key'] ?? '') &&
  headers['sec-websocket-protocol'] === undefined;

/** What it is told of each process, by a number from 1. Another that takes its place takes its number. */
export interface SocketProcessMetrics {
  /** @param cpuSeconds since the process was told of last */
  usage(
    process: string,
    now: { readonly cpuSeconds: number; readonly residentBytes: number; readonly sockets: number },
  ): void;
  ended(process: string): void;
}

interface Options {
  /** How many there should be, asked whenever a socket comes. Those beyond it stay. */
  readonly wanted: () => number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics?: SocketProcessMetrics;
  /** The built program, by default that beside this code. */
  readonly program?: URL;
}

class Pool implements SocketProcesses {
  private readonly program: URL;
  private readonly options: Options;
  private readonly processes = new Set<SocketProcess>();
  /** Of those that run. */
  private readonly numbers = new Set<number>();
  private readonly endLooks: () => void;
  /** How much those had done at the last look that had more to do then. */
  private readonly stood = new WeakMap<SocketProcess, number>();
  /** One has ended lately. */
  private recovering = false;
  /** Its program is, with the build that this process is of. */
  private gone = false;
  private closed = false;

  constructor(options: Options, program: URL) {
    this.options = options;
    this.program = program;
    this.grow();
    // After what has arrived is read: this process may have stood still itself.
    this.endLooks = options.clock.every(LOOK_MS, () => setImmediate(() => this.look()));
  }

  private look(): void {
    for (const each of this.processes) {
      if (!each.isUp) continue;
      if (this.standsStill(each)) {
        this.options.logger.error({ sockets: each.sockets }, 'a socket process stands still');
        each.kill();
      } else if (each.progress.busy) this.stood.set(each, each.progress.done);
      else {
        this.stood.delete(each);
        each.prod();
      }
    }
  }

  /** Whether it has done nothing of what it was told since the last look. */
  private standsStill(each: SocketProcess): boolean {
    const { busy, done } = each.progress;
    return busy && this.stood.get(each) === done;
  }

  get up(): number {
    return [...this.processes].filter(({ isUp }) => isUp).length;
  }

  take(request: IncomingMessage, head: Buffer): Link | undefined {
    if (this.closed || !isPlain(request)) return undefined;
    this.grow();
    let best: SocketProcess | undefined;
    for (const each of this.processes)
      if (each.isUp && !this.standsStill(each) && !(best && best.sockets <= each.sockets)) best = each;
    const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = request.headers;
    const headers = { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version };
    return best?.take(request.socket, { headers, head: head.toString('base64') });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.endLooks();
    const all = [...this.processes];
    const cancel = this.options.clock.setTimer(LOOK_MS, () => {
      for (const each of all) each.kill();
    });
    await Promise.all(all.map((each) => each.close()));
    cancel();
  }

  private grow(): void {
    while (!this.recovering && !this.gone && this.processes.size < this.options.wanted()) this.start();
  }

  private start(): void {
    if (!existsSync(this.program)) {
      this.gone = true;
      const file = fileURLToPath(this.program);
      this.options.logger.error(
        { file },
        'no socket process can start: a later build has removed the program; restart',
      );
      return;
    }
    let started: SocketProcess | undefined;
    let number = 1;
    while (this.numbers.has(number)) number += 1;
    this.numbers.add(number);
    const { metrics } = this.options;
    let known = 0;
    const usage = ({ cpuSeconds, residentBytes }: Usage): void => {
      metrics?.usage(String(number), { cpuSeconds: cpuSeconds - known, residentBytes, sockets: started!.sockets });
      known = cpuSeconds;
    };
    const ended = (why: object): void => {
      if (started !== undefined) this.processes.delete(started);
      this.numbers.delete(number);
      metrics?.ended(String(number));
      if (this.closed) return;
      this.options.logger.error(why, 'a socket process has ended, and with it its sockets; another takes its place');
      this.recovering = true;
      this.options.clock.setTimer(RESTART_MS, () => {
        this.recovering = false;
        if (!this.closed) this.grow();
      });
    };
    try {
      started = new SocketProcess(fileURLToPath(this.program), { ended, usage });
      this.processes.add(started);
    } catch (err) {
      // Without memory for another, Node does not even try.
      ended({ err });
    }
  }
}

/** Sessions for which another process is worth its memory and the hop. */
const SESSIONS_EACH = 500;
/** The main process has work of its own for each delivery, and would not keep more of them busy (decision 46). */
const MOST_PROCESSES = 5;

/**
 * How many socket processes there should be. Without a setting, one core remains for the main process, and a small server
 * has none.
 * @returns `undefined` for none ever
 */
export const socketProcessesWanted = (
  threads: number | null,
  cores: number,
  sessions: () => number,
): (() => number) | undefined => {
  if (threads !== null) return threads === 1 ? undefined : () => threads;
  const most = Math.min(cores - 1, MOST_PROCESSES);
  return most < 2 ? undefined : () => Math.min(most, Math.floor(sessions() / SESSIONS_EACH));
};

/** @returns `undefined` without the built program */
export const openSocketProcesses = (options: Options): SocketProcesses | undefined => {
  const program = options.program ?? PROGRAM;
  return program === undefined ? undefined : new Pool(options, program);
};
