/** Code that waits or compares times takes a `Clock`: nobody else calls the system's. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOMS = [
  ...['schemas', 'telemetry', 'domain', 'stores', 'log', 'vault', 'coordination', 'projections', 'commands'],
  ...['presenter', 'read-api', 'http', 'gateway', 'app'],
];
const TESTING = /\.spec\.ts$|(^|[/.])(testing|contract)\.ts$/;

/** Durations of the wall clock, timers, and waiting. Giving others their turn takes no time that is measured. */
const OF_THE_SYSTEM =
  /\bDate\.now\b|\bperformance\.now\b|\b(setTimeout|setInterval)\s*\(|\bsetTimeout as\b|\bpTimeout\(/;

/** The clock itself; a client whose own timer it is; and the command line, which waits for people. */
const ALLOWED = [/^schemas\/clock\.ts$/, /^stores\/kurrentdb\/connection\.ts$/, /^app\/cli\//];

it('no room asks the system for the time, or for a timer, but through the clock that it is handed', () => {
  const files = execFileSync('git', ['ls-files', ...ROOMS], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => file.endsWith('.ts') && !TESTING.test(file) && !ALLOWED.some((place) => place.test(file)));
  expect(files.length).toBeGreaterThan(200);
  const found = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) => (OF_THE_SYSTEM.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
});
