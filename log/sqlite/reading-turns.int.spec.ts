/** Reads of the log, however many and however small, let everything else run in between. */

import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { SLICE_MS } from '../../schemas/time-slices.ts';
import type { EventLog } from '../port.ts';
import { batch, stored } from '../testing.ts';
import { openSqliteEventLog } from './event-log.ts';
import { temporaryFolder } from './testing.ts';

const READERS = 8;
const PAGES = 50;

describe('many loops of small reads at once', () => {
  let directory: string;
  let log: EventLog;
  let looks = 0;

  beforeEach(async () => {
    directory = temporaryFolder();
    let now = 0;
    // Every look at this clock takes a millisecond, and there is one for each step.
    const clock = {
      ...systemClock,
      monotonic: () => {
        now += 1;
        looks += 1;
        return now;
      },
    };
    log = await openSqliteEventLog({ directory, clock });
    stored(await log.append(batch('channel-1', 0, PAGES * 2)));
  });
  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });

  it('takes more steps for long events than for short ones', async () => {
    const long = batch('channel-2', 0, 50).events.map((event) => ({
      ...event,
      data: { ...event.data, nonce: 'x'.repeat(60_000) },
    }));
    stored(await log.append({ stream: 'channel-2', expected: 0, events: long as never }));
    const steps = async (stream: string) => {
      const before = looks;
      await log.readStream({ stream, limit: 50 });
      return looks - before;
    };
    expect(await steps('channel-1')).toBe(1);
    expect(await steps('channel-2')).toBeGreaterThan(5);
    const before = looks;
    await log.readAll({ after: PAGES * 2, limit: 50 });
    expect(looks - before).toBeGreaterThan(5);
  });

  it.each<[string, (page: number) => Promise<unknown>]>([
    ['pages of a stream', (page) => log.readStream({ stream: 'channel-1', from: 1 + page * 2, limit: 2 })],
    ['pages of the whole log', (page) => log.readAll({ after: page * 2, limit: 2 })],
    ['raw pages of the whole log', (page) => log.rawAll({ after: page * 2, limit: 2 })],
    ['pages of a type that is not there', (page) => log.readAll({ after: page, types: ['reaction-added'], limit: 2 })],
    ['heads', () => log.streamHeads(['channel-1'])],
    ['listings of streams', () => log.streams({ limit: 10 })],
  ])('%s leave the event loop its turns', async (_, read) => {
    let turns = 0;
    let reading = true;
    const count = (): void => {
      turns += 1;
      if (reading) setImmediate(count);
    };
    setImmediate(count);
    const loop = async () => {
      for (let page = 0; page < PAGES; page += 1) await read(page);
    };
    await Promise.all(Array.from({ length: READERS }, loop));
    reading = false;
    expect(turns).toBeGreaterThanOrEqual((READERS * PAGES) / (SLICE_MS + 1));
  });
});
