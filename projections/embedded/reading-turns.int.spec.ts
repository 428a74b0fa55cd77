/** Reads of the views, however many and however small, let everything else run in between. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { SLICE_MS } from '../../schemas/time-slices.ts';
import type { ViewsRuntime } from '../port.ts';
import { messageId, Story } from '../testing.ts';
import { Access } from '../views/guild-views/access.ts';
import { ViewsFolder } from './testing.ts';

const GUILDS = 300;
const ids = (from: number) => Array.from({ length: GUILDS }, (_, n) => String(from + n));

describe('somebody in hundreds of guilds', () => {
  const folder = new ViewsFolder();
  let views: ViewsRuntime;
  let access: Access;

  beforeAll(async () => {
    const story = new Story();
    story.user('10');
    for (const [n, guildId] of ids(1_000).entries()) {
      story.guild(guildId, '10');
      story.channel(String(5_000 + n), guildId);
      story.join(guildId, '10');
    }
    story.post('5000', '10');
    story.remove('5000', 1, '10');
    let now = 0;
    // Every look at this clock takes a millisecond, and there is one for each step.
    const clock = {
      ...systemClock,
      monotonic: () => {
        now += 1;
        return now;
      },
    };
    views = await folder.open(story.log, { clock });
    views.start();
    await views.whenProcessed(story.log.all.length, 10_000);
    access = new Access(views.guilds, () => 0);
  });
  afterAll(async () => {
    await views.stop();
    folder.remove();
  });

  const channelsOfEach = async () => {
    const guilds = await views.guilds.guildsOf('10');
    await Promise.all(guilds.map((guild) => access.visibleChannels(guild, { userId: '10', roles: [] })));
    return guilds.length;
  };

  it.each<[string, number, () => Promise<unknown>]>([
    ['the channels of each guild', GUILDS, channelsOfEach],
    ['the channels of each guild, known by now', GUILDS, channelsOfEach],
    [
      'the members of each guild',
      GUILDS,
      () => Promise.all(ids(1_000).map((id) => views.guilds.members(id, { limit: 9 }))),
    ],
    ['single members', GUILDS, () => Promise.all(ids(1_000).map((id) => views.guilds.member(id, '11')))],
    ['the heads of many channels', 50, () => views.unread.heads(Array.from({ length: 10_000 }, (_, n) => String(n)))],
    [
      'many read states',
      50,
      () =>
        views.unread.readStates(
          '10',
          Array.from({ length: 10_000 }, (_, n) => String(n)),
        ),
    ],
    [
      'the last pins of many channels',
      50,
      () => views.pins.lastPinned(Array.from({ length: 10_000 }, (_, n) => String(n))),
    ],
    ['many people', 50, () => views.guilds.users(Array.from({ length: 10_000 }, (_, n) => String(n)))],
    [
      'pages of history',
      GUILDS,
      () => Promise.all(ids(5_000).map((id) => views.timelines.page(id, { limit: 100 }, '10'))),
    ],
    ['single messages', GUILDS, () => Promise.all(ids(5_000).map((id) => views.timelines.message(id, '1', '10')))],
    [
      'who reacted',
      GUILDS,
      () => Promise.all(ids(5_000).map((id) => views.timelines.reactors(id, '1', 'x', { limit: 100 }))),
    ],
    [
      'many deletions',
      50,
      () =>
        views.timelines.deletedAmong('5000', [
          ...Array.from({ length: 10_000 }, (_, n) => String(n)),
          messageId('5000', 1),
        ]),
    ],
    [
      'the list of streams',
      GUILDS,
      () => Promise.all(ids(1_000).map((id) => views.streams.page({ prefix: '', after: `guild-${id}`, limit: 9 }))),
    ],
    [
      'the index of each guild',
      GUILDS,
      () =>
        views.audiences.between(
          ids(1_000).map((id) => `guild:${id}` as const),
          0,
          1e9,
          10,
        ),
    ],
  ])('%s: leaves the event loop its turns', async (_, steps, read) => {
    let turns = 0;
    let reading = true;
    const count = (): void => {
      turns += 1;
      if (reading) setImmediate(count);
    };
    setImmediate(count);
    await read();
    reading = false;
    expect(turns).toBeGreaterThanOrEqual(steps / (SLICE_MS + 1));
  });
});
