/** What all commands of the command line share. */

import { Presets, SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { either } from 'fp-ts';
import type { RebuildProgress } from '../../projections/embedded/open.ts';
import type { Config } from '../../schemas/settings.ts';
import { fileSentence } from '../../stores/file-failures.ts';
import { reasonOf } from '../../stores/guard.ts';
import { readConfig } from '../environment.ts';

/** Wrong usage and wrong configuration have the codes of sysexits.h (EX_USAGE, EX_CONFIG). */
export const Exit = { failed: 1, usage: 64, configuration: 78 } as const;

/** Arguments that cannot be right, whatever is stored. */
export class WrongUsage extends Error {}

export const say = (line: string): void => void process.stdout.write(`${line}\n`);
export const complain = (line: string): void => void process.stderr.write(`${line}\n`);
/** Reports to people what the command is waiting for. */
export const wait = (line: string): void => complain(`parley: ${line}`);

export const counted = (count: number, what: string): string =>
  `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;

/** The end of the process, with a line for each variable that is wrong. */
export const refuseConfiguration = (wrong: readonly string[]): never => {
  complain('Parley cannot start, its configuration is wrong:');
  for (const line of wrong) complain(`  ${line}`);
  process.exit(Exit.configuration);
};

/**
 * Reads the configuration, or ends the process with a line for each invalid variable.
 * @param given values from the command line, which override the environment
 */
export const configured = (given: Readonly<Record<string, string>> = {}): Config => {
  const config = readConfig({ ...process.env, ...given });
  return either.isRight(config) ? config.right : refuseConfiguration(config.left);
};

interface ListenError {
  readonly syscall?: unknown;
  readonly code?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly hostname?: unknown;
}

/** Why the server cannot listen, with the variable to change; `undefined` for any other error. */
const listenAdvice = (error: ListenError): string | undefined => {
  const at = `${String(error.address)}:${String(error.port)}`;
  if (error.syscall === 'getaddrinfo') return `PARLEY_HOST: there is no host ${String(error.hostname)}`;
  if (error.syscall !== 'listen') return undefined;
  switch (error.code) {
    case 'EADDRINUSE':
      return `PARLEY_PORT: another program, or another Parley, listens on ${at}; stop it, or set PARLEY_PORT to a free port (0 takes any)`;
    case 'EACCES':
      return `PARLEY_PORT: this user may not listen on ${at}; ports below 1024 need a right of their own`;
    case 'EADDRNOTAVAIL':
      return `PARLEY_HOST: ${String(error.address)} is no address of this machine; 0.0.0.0 stands for all of them`;
    default:
      return undefined;
  }
};

/** Runs a command. An error becomes one clear line and an exit code, never a stack trace. */
export const reported = async (run: () => Promise<void>): Promise<void> => {
  try {
    await run();
  } catch (error) {
    complain(`parley: ${listenAdvice(error as ListenError) ?? fileSentence(error) ?? reasonOf(error)}`);
    process.exit(error instanceof WrongUsage ? Exit.usage : Exit.failed);
  }
};

/** Shows progress to people: a bar on a terminal, an occasional line elsewhere. */
interface Progress {
  /** @param total amount of work, in the same unit as `done` */
  at(done: number, total: number): void;
  end(): void;
}

const LINE_EVERY_MS = 2000;

export const progress = (what: string, unit: string): Progress => {
  if (process.stderr.isTTY) {
    const bar = new SingleBar(
      { format: `${what} [{bar}] {percentage}% {value}/{total} ${unit} {eta_formatted}`, stream: process.stderr },
      Presets.shades_classic,
    );
    let started = false;
    return {
      at: (done, total) => {
        if (started) bar.update(done);
        else bar.start(total, done);
        started = true;
      },
      end: () => bar.stop(),
    };
  }
  let said = Number.NEGATIVE_INFINITY;
  let last = '';
  const line = (text: string) => {
    if (text !== last) complain(text);
    last = text;
  };
  return {
    at: (done, total) => {
      const now = performance.now();
      if (now - said < LINE_EVERY_MS && done < total) return;
      said = now;
      line(`${what}: ${done} of ${total} ${unit}`);
    },
    end: () => {},
  };
};

/** A bar for each step. The last one ends with the work, whether it succeeds or fails. */
export const shown = async <Step extends string, T>(
  units: Readonly<Record<Step, string>>,
  work: (onProgress: (step: Step, done: number, total: number) => void) => Promise<T>,
): Promise<T> => {
  let current: { readonly step: Step; readonly bar: Progress } | undefined;
  try {
    return await work((step, done, total) => {
      if (current?.step !== step) {
        current?.bar.end();
        current = { step, bar: progress(step, units[step]) };
      }
      current.bar.at(done, total);
    });
  } finally {
    current?.bar.end();
  }
};

/** For `openViews`: shows the rebuild of missing or outdated views at start. */
export const rebuildProgress = () => {
  let shown: Progress | undefined;
  return ({ reason, through, head }: RebuildProgress): void => {
    shown ??= progress(`rebuilding views.db (${reason})`, 'events');
    shown.at(through, head);
    if (through >= head) shown.end();
  };
};

/** Tables on standard output: columns without rules around them. */
const EDGES = ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
  ['', '-mid', '-left', '-right'].map((part) => [`${side}${part}`, '']),
);
const PLAIN = { head: [], border: [], 'padding-left': 0, 'padding-right': 0 };

/** Numbers are right-aligned. */
export const table = (names: readonly string[], rows: readonly (readonly (string | number)[])[]): void => {
  const shown = new Table({
    head: [...names],
    colAligns: names.map((_, i) => (typeof rows[0]?.[i] === 'number' ? 'right' : 'left')),
    chars: { ...Object.fromEntries(EDGES), middle: '  ' },
    style: PLAIN,
  });
  shown.push(...rows.map((row) => [...row]));
  for (const line of shown.toString().split('\n')) say(line.trimEnd());
};
