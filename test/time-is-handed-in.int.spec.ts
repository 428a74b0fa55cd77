/** Code that waits or compares times takes a `Clock`. No other code uses the system's clock. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOMS = [
  ...['schemas', 'telemetry', 'domain', 'stores', 'log', 'vault', 'coordination', 'projections', 'commands'],
  ...['presenter', 'read-api', 'http', 'gateway', 'app'],
];
const TESTING = /\.spec\.ts$|(^|[/.])(testing|contract)\.ts$/;

/** Wall-clock times, timers and waits. Yielding to others takes no measured time. */
const OF_THE_SYSTEM =
  /\bDate\.now\b|\bperformance\.now\b|\b(setTimeout|setInterval)\s*\(|\bsetTimeout as\b|\bpTimeout\(/;

/** The clock itself, a client with its own timer, and the command line, which waits for people. */
const ALLOWED = [/^schemas\/clock\.ts$/, /^stores\/kurrentdb\/connection\.ts$/, /^app\/cli\//];

it('every room takes times and timers from the clock that it is given', () => {
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
