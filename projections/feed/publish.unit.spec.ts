import { expect, it } from 'vitest';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { Story } from '../testing.ts';
import { decodeManifest, decodeSaid } from './payloads.ts';
import { ChainedPublisher, type FeedMessage } from './publish.ts';

const posts = (count: number, text = ''): readonly ParleyEvent[] => {
  const story = new Story();
  for (let n = 0; n < count; n += 1) story.post(String(100 + (n % 7)), '1');
  for (const event of story.log.all) Object.assign(event, { data: { ...event.data, extra: text } });
  return story.log.all;
};

const published = async (events: readonly ParleyEvent[]) => {
  const pieces: (readonly FeedMessage[])[] = [];
  const publisher = new ChainedPublisher(async (_, messages) => void pieces.push(messages));
  await publisher.publish({ partition: 0, from: 0, events, through: events.length + 5 });
  return pieces.map((messages) => ({
    bytes: messages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
    manifest: decodeManifest(messages.at(-1)!.text),
    events: messages.slice(0, -1).flatMap(({ text }) => {
      const said = decodeSaid(text);
      return 'events' in said ? said.events : [];
    }),
  }));
};

it.each(['a', 'é', '中', '😀', '\u0001'])(
  'a batch is published in pieces small enough for Redis, in %j as well',
  async (character) => {
    const events = posts(600, character.repeat(8000));
    const pieces = await published(events);
    const largest = Math.max(...pieces.map(({ bytes }) => bytes));
    // A control character is six bytes of JSON.
    expect(largest).toBeLessThan((character === '\u0001' ? 6 : 1.5) * BUDGETS.feed.bytes);
    expect(largest).toBeLessThan(BUDGETS.redis.serverOutputBytes);
    const positions = pieces.flatMap((piece) => piece.events.map(({ position }) => position)).sort((a, b) => a - b);
    expect(positions).toEqual(events.map(({ position }) => position));
    let to = 0;
    for (const { manifest } of pieces) {
      expect(manifest.from).toBe(to);
      to = manifest.to;
    }
    expect(pieces.at(-1)!.manifest.through).toBe(605);
  },
);

it('a batch of small events is published in pieces of at most so many, and an empty one as a manifest', async () => {
  expect((await published(posts(600))).map(({ events }) => events.length)).toEqual([250, 250, 100]);
  expect((await published([])).map(({ manifest }) => manifest)).toEqual([{ from: 0, to: 0, through: 5, channels: [] }]);
});
