/** Code that waits or compares times takes a `Clock`. Production code other than `app` never names the system's clock. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

/** All but `app`, which composes them and gives each its clock. */
const ROOMS = [
  ...['schemas', 'telemetry', 'domain', 'stores', 'log', 'vault', 'coordination', 'projections', 'commands'],
  ...['presenter', 'read-api', 'http', 'gateway'],
];
const TESTING = /\.spec\.ts$|(^|[/.])(testing|contract)\.ts$/;
const PORT = 'schemas/clock.ts';

/** Wall-clock times, timers and waits. Yielding takes no measured time, and Node itself times the connections of a server. */
const OF_THE_SYSTEM =
  /\bDate\.now\b|\bperformance\.now\b|(?<!server\.)\b(setTimeout|setInterval)\s*\(|\bsetTimeout as\b|\bpTimeout\(/;

/** The clock itself, the command line, which waits for people, and a part of kafkajs's producer, whose times are the system's. */
const ALLOWED = [/^schemas\/clock\.ts$/, /^app\/cli\//, /^stores\/kafka\/produce\.ts$/];

const filesOf = (rooms: readonly string[]): string[] =>
  execFileSync('git', ['ls-files', ...rooms], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => file.endsWith('.ts') && !TESTING.test(file));

/** `file:line: text` of every line that matches. */
const linesOf = (files: readonly string[], wanted: RegExp): string[] =>
  files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) => (wanted.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );

it('every room takes times and timers from the clock that it is given', () => {
  const files = filesOf([...ROOMS, 'app']).filter((file) => !ALLOWED.some((place) => place.test(file)));
  expect(files.length).toBeGreaterThan(200);
  expect(linesOf(files, OF_THE_SYSTEM)).toEqual([]);
});

it('no room but app names the system’s clock, not even as a default', () => {
  const files = filesOf(ROOMS).filter((file) => file !== PORT);
  expect(files.length).toBeGreaterThan(150);
  expect(linesOf(files, /\bsystemClock\b/)).toEqual([]);
});

it('app names the system’s clock only in its commands and archives', () => {
  const choosing = linesOf(filesOf(['app']), /\bsystemClock\b/).map((line) => line.split(':')[0]);
  expect([...new Set(choosing)].filter((file) => !/^app\/(cli|archive)\//.test(file!))).toEqual([]);
});
