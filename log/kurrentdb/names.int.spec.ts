import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import type { EventLog } from '../port.ts';
import { batch, stored } from '../testing.ts';
import { openKurrentEventLog } from './event-log.ts';
import { StandIn } from './stand-in/testing.ts';

const NAMES = ['channel-1', 'channel-10', 'channel-2', 'guild-1', 'member-1_2', 'member-1_3', 'user-1'];

describe('the list of streams', () => {
  let server: StandIn;
  let log: EventLog;
  let other: EventLog;
  beforeAll(async () => {
    server = await new StandIn().start();
    log = await openKurrentEventLog({ clock: systemClock, url: server.url });
    other = await openKurrentEventLog({ clock: systemClock, url: server.url });
    for (const name of [...NAMES].reverse()) stored(await other.append(batch(name, 0, 2)));
  });
  afterAll(async () => {
    await Promise.all([log.close(), other.close()]);
    await server.stop();
  });

  it('returns a range of all names in order, for any query', async () => {
    const part = fc.constantFrom('', 'c', 'channel-', 'channel-1', 'channel-10', 'guild-1', 'member-1_2', 'n', 'z');
    await fc.assert(
      fc.asyncProperty(part, part, fc.integer({ min: 1, max: 9 }), async (prefix, after, limit) => {
        const expected = NAMES.filter((name) => name.startsWith(prefix) && name > after).slice(0, limit);
        expect((await log.streams({ prefix, after, limit })).map(({ stream }) => stream)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('includes new names and heads from any node', async () => {
    await log.streams({ limit: 1 });
    stored(await other.append(batch('guild-1', 2)));
    const [added] = stored(await other.append(batch('guild-0', 0)));
    const [first, second] = await log.streams({ prefix: 'guild-', limit: 9 });
    expect(first).toEqual({ stream: 'guild-0', sequence: 1, position: added!.position });
    expect(second).toMatchObject({ stream: 'guild-1', sequence: 3 });
  });

  it('reads the whole log once, however often it is asked', async () => {
    for (let n = 0; n < 3; n += 1) await log.streams({ limit: 9 });
    expect(server.subscriptions).toEqual(['']);
  });
});
