/** Processes that specs of event logs start. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { build } from 'esbuild';

/** Inside node_modules, so bare imports resolve. */
const BUNDLES = resolve('node_modules/.cache/parley-specs');

/** Bundles a script with our sources. @returns the bundle's path, and how to remove it */
export const bundleOf = async (entry: string) => {
  mkdirSync(BUNDLES, { recursive: true });
  const folder = mkdtempSync(join(BUNDLES, 'log-'));
  const script = join(folder, 'process.mjs');
  await build({
    entryPoints: [resolve(entry)],
    outfile: script,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
  });
  return { script, remove: () => rmSync(folder, { recursive: true }) };
};

export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Lines printed so far. */
  lines(): readonly string[];
  errors(): string;
  /** Resolves when a printed line passes, or rejects if the process ends before. */
  until(passes: (line: string) => boolean): Promise<void>;
  readonly ended: Promise<number | null>;
}

/** @param under a program that runs node, with its arguments, such as a tracer */
export const run = (script: string, args: readonly string[], under: readonly string[] = []): Running => {
  const [program, ...rest] = [...under, process.execPath, script, ...args] as [string, ...string[]];
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  let check = () => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    check();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const lines = () => output.split('\n').slice(0, -1);
  return {
    child,
    lines,
    errors: () => errors,
    until: (passes) =>
      new Promise((done, fail) => {
        check = () => {
          if (lines().some(passes)) done();
        };
        check();
        void ended.then((code) => fail(new Error(`ended with ${code}: ${errors}`)));
      }),
    ended,
  };
};
