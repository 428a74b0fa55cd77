import { expect, it } from 'vitest';
import { OwnFeed } from './own-feed.ts';
import { type FeedMessage, messagesOf } from './publish.ts';
import { ELSEWHERE, HERE, Station } from './testing.ts';

const messages = (through: number): FeedMessage[] => messagesOf([], { from: 0, to: 0, through });

it('what a projector publishes reaches the gateway of its process without the transport, and only once', async () => {
  const own = new OwnFeed();
  const station = new Station();
  station.publisher.own = own;
  station.publisher.transports.splice(0);
  await station.begin({ own });
  await station.reader.listen([`channel:${HERE}`, `channel:${ELSEWHERE}`]);
  station.story.post(HERE, '10');
  station.story.post(ELSEWHERE, '10');
  await station.publisher.publishAll();
  await station.arrivesThrough(2);
  expect(station.handed.positions).toEqual([1, 2]);
  expect(station.metrics.fills).toEqual([]);
  await station.end();
});

it('a message that the transport brings is known if this process has published it, also where others were lost', () => {
  const own = new OwnFeed();
  const [first, second, third] = [1, 2, 3].flatMap(messages) as [FeedMessage, FeedMessage, FeedMessage];
  own.publish(0, [first]);
  expect(own.isKnown(0, first.channel, first.text)).toBe(false);
  own.start(() => {});
  own.publish(0, [first, second, third]);
  expect(own.isKnown(1, first.channel, first.text)).toBe(false);
  expect(own.isKnown(0, first.channel, `${first.text} `)).toBe(false);
  expect(own.isKnown(0, second.channel, second.text)).toBe(true);
  expect(own.isKnown(0, first.channel, first.text)).toBe(false);
  expect(own.isKnown(0, third.channel, third.text)).toBe(true);
  expect(own.isKnown(0, third.channel, third.text)).toBe(false);
});

it('what is under way is forgotten once it is much, in number or in bytes, as while Redis is gone', () => {
  const own = new OwnFeed();
  own.start(() => {});
  const [first] = messages(1) as [FeedMessage];
  for (const [count, bytes] of [
    [1001, 1],
    [50, 98_304],
  ] as const) {
    own.publish(0, [first]);
    for (let n = 0; n < count; n += 1) own.publish(0, [{ ...first, text: String(n).padEnd(bytes) }]);
    expect(own.isKnown(0, first.channel, first.text)).toBe(false);
    expect(own.isKnown(0, first.channel, String(count - 1).padEnd(bytes))).toBe(true);
  }
});
