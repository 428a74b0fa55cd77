/** The built server as a child process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { limits, settings } from '../../schemas/settings.ts';
import { environmentWith } from './parley.ts';
import { Watched } from './watched.ts';

/** Environment for load tests, which measure the server and not its limits. */
export const LIMITS_OFF: Readonly<Record<string, string>> = Object.fromEntries(
  [...Object.values(limits), settings.refused].map(({ variable }) => [variable, 'off']),
);

export interface ServerOptions {
  /** Data folder. */
  readonly data: string;
  /** PARLEY_* variables other than folder, host and port. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program with arguments that runs node, such as a tracer. */
  readonly under?: readonly string[];
  /** Milliseconds within which it must be ready. */
  readonly timeoutMs?: number;
}

export interface Server {
  readonly pid: number;
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Everything it has printed so far. */
  output(): string;
  alive(): boolean;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Sends SIGTERM, and SIGKILL after `timeoutMs`. @returns the exit code; null when it had to be killed */
  stop(timeoutMs?: number): Promise<number | null>;
}

/** The output of `npm run build`. npm and vitest run in the project's folder. */
const entry = resolve('dist/parley.js');

const environment = (options: ServerOptions): NodeJS.ProcessEnv =>
  environmentWith({
    PARLEY_LOG_LEVEL: 'warn',
    ...options.env,
    PARLEY_HOST: '127.0.0.1',
    PARLEY_PORT: '0',
    PARLEY_DATA: options.data,
  });

const untilReady = async (url: string, child: ChildProcess, deadline: number): Promise<void> => {
  for (;;) {
    const answer = await fetch(`${url}/ready`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the server ended before it was ready');
    if (Date.now() > deadline) throw new Error(`the server listens but did not become ready: ${answer?.status}`);
    // Several processes that start at once would otherwise spend much of their time on answers.
    await new Promise((again) => setTimeout(again, 50));
  }
};

/** Ends the servers of a test that timed out before it could end them. */
const living = new Map<ChildProcess, (signal: NodeJS.Signals) => unknown>();
process.once('exit', () => {
  for (const end of living.values()) end('SIGKILL');
});

/** Starts the server on a free port and waits until it is ready. */
export const startServer = async (options: ServerOptions): Promise<Server> => {
  if (!existsSync(entry)) throw new Error('dist/parley.js is missing: run `npm run build` first');
  const deadline = Date.now() + (options.timeoutMs ?? 20_000);
  const [program = process.execPath, ...before] = options.under ?? [];
  const script = options.under === undefined ? [entry, 'serve'] : [...before, process.execPath, entry, 'serve'];
  const detached = options.under !== undefined;
  const child = spawn(program, script, { env: environment(options), stdio: ['ignore', 'pipe', 'pipe'], detached });
  // What runs under another program would outlive it.
  const end = (signal: NodeJS.Signals) => (detached ? process.kill(-child.pid!, signal) : child.kill(signal));
  const watched = new Watched();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      watched.changed();
    });
  }
  const gone = once(child, 'exit');
  living.set(child, end);
  child.once('exit', (code, signal) => {
    living.delete(child);
    watched.fail(new Error(`the server ended (${signal ?? code}); it said:\n${output}`));
  });
  const kill = async () => {
    end('SIGKILL');
    await gone;
  };
  try {
    const listening = () => /http:\/\/127\.0\.0\.1:(\d+)/.exec(output);
    await watched.until(
      () => listening() !== null,
      () => `the server's address in: ${output}`,
      deadline - Date.now(),
    );
    const port = Number(listening()![1]);
    const url = `http://127.0.0.1:${port}`;
    await untilReady(url, child, deadline);
    return {
      pid: child.pid!,
      port,
      url,
      output: () => output,
      alive: () => child.exitCode === null && child.signalCode === null,
      kill,
      stop: async (timeoutMs = 10_000) => {
        const last = setTimeout(() => end('SIGKILL'), timeoutMs);
        end('SIGTERM');
        await gone;
        clearTimeout(last);
        return child.exitCode;
      },
    };
  } catch (error) {
    await kill();
    throw error;
  }
};
