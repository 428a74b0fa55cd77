import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelAudience, guildAudience, userAudience } from '../../schemas/streams.ts';
import { HERE, PATIENT, Station, THERE } from './testing.ts';

const ANN = '10';
const BOB = '11';

describe('the feed of a gateway', () => {
  let station: Station;

  beforeEach(() => {
    station = new Station();
  });
  afterEach(() => station.end());

  it('begins at the head of the log', async () => {
    station.story.post(HERE, ANN);
    await station.begin();
    expect(station.reader.position).toBe(1);
    await station.reader.listen([channelAudience(HERE)]);
    await station.publisher.publishAll();
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(2);
    expect(station.handed.positions).toEqual([2]);
    expect(station.metrics.fills).toEqual([]);
  });

  it('holds back events beyond the slowest partition', async () => {
    await station.beginListening(HERE, THERE);
    station.story.post(HERE, ANN);
    station.story.post(THERE, ANN);
    station.story.post(HERE, ANN);
    await station.publisher.publish(0);
    await station.publisher.publish(1);
    expect(station.reader.position).toBe(0);
    await station.publisher.publish(2, 2);
    await station.arrivesThrough(2);
    expect(station.handed.positions).toEqual([1, 2]);
    await station.publisher.publish(2);
    await station.arrivesThrough(3);
    expect(station.handed.positions).toEqual([1, 2, 3]);
    expect(station.metrics.fills).toEqual([]);
  });

  it('always receives structure, and channels and users it listens to', async () => {
    await station.begin();
    await station.reader.listen([guildAudience('20'), userAudience(ANN)]);
    station.story.guild('20', ANN);
    station.story.channel(HERE, '20');
    station.story.invite('code', '20', HERE, ANN);
    station.story.post(HERE, ANN);
    station.story.read(ANN, { [HERE]: 1 });
    station.story.read(BOB, { [HERE]: 1 });
    station.story.direct('40', ANN, BOB);
    await station.publisher.publishAll();
    await station.arrivesThrough(8);
    expect(station.handed.positions).toEqual([1, 2, 3, 5, 7, 8]);
    expect(station.transport.asked.some((name) => name.includes('20'))).toBe(false);
  });

  it('ends a batch at each event that changes rights, and reports that position alone', async () => {
    await station.begin();
    station.story.join('20', ANN);
    station.story.invite('code', '20', HERE, ANN);
    station.story.leave('20', ANN);
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(4);
    expect(
      station.handed.batches.map(({ events, through }) => [events.map((event) => event.position), through]),
    ).toEqual([
      [[1], 1],
      [[2, 3], 3],
      [[], 4],
    ]);
  });

  it('hands over one batch after another', async () => {
    let free = () => {};
    const begun: number[] = [];
    station.open();
    await station.reader.start((_events, through) => {
      begun.push(through);
      return new Promise((resolve) => {
        free = resolve;
      });
    });
    station.story.join('20', ANN);
    station.story.join('20', BOB);
    await station.publisher.publishAll();
    await expect.poll(() => begun).toEqual([1]);
    expect(station.reader.position).toBe(0);
    free();
    await expect.poll(() => begun).toEqual([1, 2]);
    free();
    await station.arrivesThrough(2);
  });

  it('delivers typing in the channels it listens to', async () => {
    const typed: unknown[] = [];
    await station.begin({ onTyping: (typing) => typed.push(typing) });
    await station.reader.listen([channelAudience(HERE)]);
    const typing = { channelId: HERE, guildId: null, userId: ANN, time: 1 };
    station.transport.deliver({ partition: 0, channel: `c:${HERE}`, text: JSON.stringify({ typing }) });
    expect(typed).toEqual([typing]);
  });

  it('reports how long events waited for the watermark', async () => {
    await station.beginListening(HERE);
    station.story.post(HERE, ANN);
    await station.publisher.publish(0);
    await station.clock.advance(7);
    await station.publisher.publish(1);
    await station.publisher.publish(2);
    await station.arrivesThrough(1);
    expect(station.metrics.delays).toEqual([7]);
  });

  it('stops with the error its listener throws', async () => {
    const failures: unknown[] = [];
    station.open({ onFailure: (error) => failures.push(error) });
    const broken = new Error('the listener is broken');
    await station.reader.start(async () => {
      throw broken;
    });
    station.story.join('20', ANN);
    await station.publisher.publishAll();
    await expect.poll(() => failures).toEqual([broken]);
    station.story.join('20', BOB);
    await station.publisher.publishAll();
    expect(failures).toEqual([broken]);
    expect(station.reader.position).toBe(0);
  });

  it('only asks the log for its head while nothing happens', async () => {
    let heads = 0;
    let readings = 0;
    await station.begin({
      limits: { ...PATIENT, staleMs: 10, lookMs: 5 },
      log: {
        head: () => {
          heads += 1;
          return station.story.log.head();
        },
        readAll: (query) => {
          readings += 1;
          return station.story.log.readAll(query);
        },
      },
    });
    await station.clock.advance(50);
    expect(heads).toBeGreaterThan(5);
    expect(readings).toBe(0);
    expect(station.handed.batches).toEqual([]);
  });
});
