import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelAudience } from '../../schemas/streams.ts';
import { HASTY, HERE, Station, THERE } from './testing.ts';

const ANN = '10';

describe('a new subscription', () => {
  let station: Station;

  beforeEach(() => {
    station = new Station();
  });
  afterEach(() => station.end());

  it('makes its caller wait until it is in place, and nobody else', async () => {
    await station.beginListening(THERE);
    station.transport.subscribing = 'hangs';
    let listening = false;
    const listened = station.reader.listen([channelAudience(HERE)]).then(() => {
      listening = true;
    });
    station.story.post(HERE, ANN);
    station.story.post(THERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(2);
    expect(station.handed.positions).toEqual([2]);
    expect(listening).toBe(false);
    station.transport.confirmHanging();
    await listened;
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(3);
    expect(station.handed.positions).toEqual([2, 3]);
    expect(station.metrics.fills).toEqual([]);
  });

  it('is filled with events published before it was in place and not yet passed', async () => {
    await station.begin();
    station.transport.subscribing = 'hangs';
    const listened = station.reader.listen([channelAudience(HERE)]);
    station.story.post(HERE, ANN);
    await station.publisher.publish(0);
    station.transport.confirmHanging();
    await listened;
    await station.publisher.publishAll();
    await station.arrivesThrough(1);
    expect(station.handed.positions).toEqual([1]);
    expect(station.metrics.fills).toEqual(['subscription']);
  });

  it('that was lost silently is noticed by the missing events, and made again', async () => {
    await station.beginListening(HERE);
    station.transport.cut();
    await station.transport.subscribe(0, ['manifest']);
    await station.transport.subscribe(1, ['manifest']);
    await station.transport.subscribe(2, ['manifest']);
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(1);
    expect(station.handed.positions).toEqual([1]);
    expect(station.metrics.fills).toEqual(['pulse']);
    expect(station.transport.hears(0, `c:${HERE}`)).toBe(true);
  });

  it.each(['refused', 'hangs'] as const)('does not wait for ever when it is %s', async (subscribing) => {
    await station.begin({ limits: HASTY });
    station.transport.subscribing = subscribing;
    const listening = station.reader.listen([channelAudience(HERE)]);
    await station.clock.advance(HASTY.subscribeMs);
    await listening;
    station.story.post(HERE, ANN);
    await station.arrivesThrough(1);
    expect(station.handed.positions).toEqual([1]);
  });

  it('is shared by all listeners, and ends with the last of them', async () => {
    await station.beginListening(HERE, HERE);
    await station.reader.listen([channelAudience(HERE)]);
    expect(station.transport.asked.filter((name) => name === `0/c:${HERE}`)).toHaveLength(1);
    station.reader.leave([channelAudience(HERE), channelAudience(HERE), channelAudience('99')]);
    expect(station.transport.hears(0, `c:${HERE}`)).toBe(true);
    station.reader.leave([channelAudience(HERE)]);
    expect(station.transport.hears(0, `c:${HERE}`)).toBe(false);
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(1);
    expect(station.handed.positions).toEqual([]);
  });

  it('may be made from within a batch, and receives everything beyond it', async () => {
    station.open();
    await station.reader.start(async (events, through) => {
      await station.handed.onBatch(events, through);
      if (events.at(-1)?.type === 'channel-created') await station.reader.listen([channelAudience(HERE)]);
    });
    station.story.channel(HERE, '20');
    station.story.post(HERE, ANN);
    station.story.post(THERE, ANN);
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(4);
    expect(station.handed.positions).toEqual([1, 2, 4]);
  });

  it('receives everything beyond the position of a rest if made before it', async () => {
    station.open();
    let free = () => {};
    await station.reader.start(station.handed.onBatch);
    const resting = station.reader.atRest(
      (position) =>
        new Promise<number>((resolve) => {
          free = () => resolve(position);
        }),
    );
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.reader.listen([channelAudience(HERE)]);
    const next = station.reader.atRest(async (position) => position);
    free();
    expect([await resting, await next]).toEqual([0, 0]);
    await station.arrivesThrough(1);
    expect(station.handed.positions).toEqual([1]);
  });
});
