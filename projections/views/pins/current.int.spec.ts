import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { messageId, Story } from '../../testing.ts';
import { CurrentPins } from './current.ts';
import { pinTables, SqlitePins } from './sql.ts';
import { type PinReader, pinChanges } from './view.ts';

const CHANNELS = ['30', '31'] as const;
const MESSAGES = [1, 2, 3, 4];

const storeOf = (events: readonly ParleyEvent[]) => {
  const db = memoryDatabase(pinTables);
  const pins = new SqlitePins(db, new TimeSlices(systemClock));
  pins.apply(pinChanges(events));
  return { pins, close: () => db.close() };
};

/** Everything that a reader can say. */
const all = async (pins: PinReader) => ({
  pinned: await Promise.all(
    CHANNELS.flatMap((id) => [
      pins.pinned(id, { limit: 10 }),
      pins.pinned(id, { limit: 1 }),
      pins.pinned(id, { before: 12, limit: 2 }),
    ]),
  ),
  among: await Promise.all(
    CHANNELS.map((id) =>
      pins.pinnedAmong(
        id,
        MESSAGES.map((n) => messageId(id, n)),
      ),
    ),
  ),
  last: await pins.lastPinned(CHANNELS),
  ofMany: await pins.lastPinned([...CHANNELS, ...Array.from({ length: 30 }, (_, n) => String(100 + n))]),
});

const told = (steps: readonly (readonly [channel: '30' | '31', message: number])[]): Story => {
  const story = new Story();
  for (const id of CHANNELS) for (const _ of MESSAGES) story.post(id, '1');
  const pinned = new Set<string>();
  for (const [time, [channel, message]] of steps.entries()) {
    const name = `${channel} ${message}`;
    if (pinned.delete(name)) story.unpin(channel, message, '1');
    else {
      pinned.add(name);
      story.pin(channel, message, '1', time + 1);
    }
    if (time % 3 === 0) story.post(channel, '1');
  }
  return story;
};

const fail = () => {
  throw new Error('the log was read');
};

describe('pins that lag behind the log', () => {
  const step = fc.tuple(fc.constantFrom(...CHANNELS), fc.constantFrom(...MESSAGES));

  it('are what they will be once their store has caught up', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.nat(50), async (steps, lag) => {
        const { log } = told(steps);
        const head = await log.head();
        const held = Math.max(0, head - lag);
        const heldEvents = log.all.slice(0, held);
        const [whole, late] = [storeOf(log.all), storeOf(heldEvents)];
        const current = new CurrentPins({
          stored: late.pins,
          log,
          held: () => held,
          received: () => head,
          heard: (channelId, after) => pinChanges(log.all.slice(after)).filter((one) => one.channelId === channelId),
        });
        expect(await all(current)).toEqual(await all(whole.pins));
        whole.close();
        late.close();
      }),
      { numRuns: 50 },
    ));

  it('are as their store holds them while the log cannot be read', async () => {
    const { pins, close } = storeOf([]);
    const gone = async () => {
      throw new StoreUnavailable('log', 1);
    };
    const unread = { readStream: gone, streamHeads: gone };
    const current = new CurrentPins({ stored: pins, log: unread, held: () => 0, received: () => 9, heard: () => [] });
    expect(await current.pinned('30', { limit: 5 })).toEqual([]);
    close();
  });

  it('cost no read of the log where nothing is missing', async () => {
    const { log } = told([['30', 1]]);
    const { pins, close } = storeOf(log.all);
    const head = await log.head();
    const noLog = { readStream: fail, streamHeads: fail };
    const current = new CurrentPins({
      stored: pins,
      log: noLog,
      held: () => head,
      received: () => head,
      heard: () => [],
    });
    expect((await all(current)).last).toEqual(new Map([['30', 1]]));
    close();
  });
});
