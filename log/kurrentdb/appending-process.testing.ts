/**
 * A process that appends to argv[3] streams of the log at argv[2], all at once, and follows it. `stop` on stdin makes it
 * close the log, print what it acknowledged by stream, as JSON, and end by itself. It handles no rejection that the log
 * leaves unhandled.
 */

import { once } from 'node:events';
import { either } from 'fp-ts';
import { systemClock } from '../../schemas/clock.ts';
import type { NewParleyEvent } from '../../schemas/events/catalogue.ts';
import { batch } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';

const [url = '', streams = ''] = process.argv.slice(2);
const patience = { answerMs: 500, triedMs: 3_000, silenceMs: 1_000 };

const log = await openKurrentEventLog({ clock: systemClock, url, patience });
let stopped = false;
let delivered = 0;
const acknowledged: Record<string, number> = {};
const failures: Record<string, number> = {};

/** Some kilobytes, so that a connection that stands still does not take them all. */
const large = (event: NewParleyEvent, bytes: number) => ({ ...event, key: 'x'.repeat(bytes) });

const write = async (stream: string): Promise<void> => {
  for (let expected = 0; !stopped; ) {
    const { events } = batch(stream, expected, 1 + Math.floor(Math.random() * 8));
    const answer = await log.append({
      stream,
      expected,
      events: events.map((one) => large(one, Math.random() * 11_000)),
    });
    if (either.isRight(answer)) {
      expected += events.length;
      acknowledged[stream] = expected;
      continue;
    }
    const { left } = answer;
    failures[left.kind] = (failures[left.kind] ?? 0) + 1;
    if (left.kind === 'conflict') expected = left.actual;
  }
};

const read = async (): Promise<void> => {
  while (!stopped) {
    await Promise.allSettled([log.head(), log.readStream({ stream: 'channel-1', limit: 10 })]);
    await systemClock.delay(20);
  }
};

log.tail(
  0,
  async (events) => {
    delivered += events.length;
  },
  (error) => {
    throw error;
  },
);
const working = [read(), ...Array.from({ length: Number(streams) }, (_, n) => write(`channel-${n}`))];
process.stdout.write('open\n');
await once(process.stdin, 'data');
stopped = true;
// Appends are answered, whatever happens; a read may wait for its server.
await log.close();
await Promise.all(working);
process.stdin.destroy();
process.stdout.write(`${JSON.stringify({ acknowledged, failures, delivered })}\n`);
