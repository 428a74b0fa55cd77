import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelAudience } from '../../schemas/streams.ts';
import { encodePulse } from './payloads.ts';
import { ELSEWHERE, HASTY, HERE, MemoryPublisher, PARTITIONS, PATIENT, Station, THERE } from './testing.ts';

const ANN = '10';

describe('a feed with missing messages', () => {
  let station: Station;

  beforeEach(() => {
    station = new Station();
  });
  afterEach(() => station.end());

  describe('reads from the log', () => {
    it('the events of a lost pulse', async () => {
      await station.beginListening(HERE);
      station.story.post(HERE, ANN);
      station.story.post(THERE, ANN);
      station.transport.fate = ({ channel }) => (channel === `c:${HERE}` ? 'lost' : 'arrives');
      await station.publisher.publishAll();
      await station.arrivesThrough(2);
      expect(station.handed.positions).toEqual([1]);
      expect(station.metrics.fills).toEqual(['pulse']);
    });

    it('the events of a lost manifest, when the next manifest arrives', async () => {
      await station.beginListening(HERE);
      station.story.post(HERE, ANN);
      station.transport.fate = () => 'lost';
      await station.publisher.publishAll();
      station.transport.fate = () => 'arrives';
      station.story.post(HERE, ANN);
      await station.publisher.publishAll();
      await station.arrivesThrough(2);
      expect(station.handed.positions).toEqual([1, 2]);
      expect(station.metrics.fills).toEqual(['chain']);
    });

    it('nothing, if only manifests without events were lost', async () => {
      await station.begin();
      station.story.post(HERE, ANN);
      await station.publisher.publishAll();
      station.transport.fate = () => 'lost';
      station.story.post(THERE, ANN);
      await station.publisher.publish(2);
      station.transport.fate = () => 'arrives';
      station.story.post(THERE, ANN);
      await station.publisher.publishAll();
      await station.arrivesThrough(3);
      expect(station.metrics.fills).toEqual([]);
    });

    it('everything, while nobody publishes', async () => {
      await station.begin({ limits: HASTY });
      await station.reader.listen([channelAudience(HERE)]);
      for (let n = 0; n < 3; n += 1) {
        station.story.post(HERE, ANN);
        station.story.post(THERE, ANN);
        await station.arrivesThrough(station.story.log.all.length);
      }
      expect(station.handed.positions).toEqual([1, 3, 5]);
      expect(new Set(station.metrics.fills)).toEqual(new Set(['stale']));
    });

    it('all but an event that cannot be read', async () => {
      await station.begin({ limits: HASTY });
      await station.reader.listen([channelAudience(HERE), channelAudience(THERE)]);
      for (let n = 0; n < 10; n += 1) {
        station.story.post(HERE, ANN);
        station.story.post(THERE, ANN);
      }
      Object.assign(station.story.log.all[6]!, { type: 'of-a-newer-parley' });
      await station.arrivesThrough(20);
      expect(station.handed.positions).toEqual([1, 2, 3, 4, 5, 6, ...Array.from({ length: 13 }, (_, n) => n + 8)]);
    });

    it('once for all partitions', async () => {
      let readings = 0;
      const readAll: typeof station.story.log.readAll = (query) => {
        readings += 1;
        return station.story.log.readAll(query);
      };
      await station.begin({ log: { head: () => station.story.log.head(), readAll } });
      await station.reader.listen([channelAudience(HERE), channelAudience(THERE), channelAudience(ELSEWHERE)]);
      for (let n = 0; n < 100; n += 1) for (const channel of [HERE, THERE, ELSEWHERE]) station.story.post(channel, ANN);
      station.transport.reconnected();
      await station.arrivesThrough(300);
      expect(station.handed.positions).toHaveLength(300);
      expect(readings).toBe(1);
      expect(station.metrics.fills).toEqual(['reconnect', 'reconnect', 'reconnect']);
    });

    it('again, if the log does not answer', async () => {
      let failures = 2;
      const readAll: typeof station.story.log.readAll = async (query) => {
        failures -= 1;
        if (failures >= 0) throw new Error('not now');
        return station.story.log.readAll(query);
      };
      await station.begin({ log: { head: () => station.story.log.head(), readAll } });
      station.story.join('20', ANN);
      station.transport.reconnected();
      await station.arrivesThrough(1);
      expect(station.handed.positions).toEqual([1]);
    });

    it('no event that it does not listen to', async () => {
      await station.begin();
      station.story.post(HERE, ANN);
      station.transport.reconnected();
      await station.arrivesThrough(1);
      expect(station.handed.positions).toEqual([]);
    });
  });

  it('keeps reading the log until the feed is on time again', async () => {
    await station.begin({ limits: HASTY });
    station.story.post(HERE, ANN);
    await station.arrivesThrough(1);
    const { length } = station.metrics.fills;
    expect(length).toBeGreaterThan(0);
    for (let partition = 0; partition < PARTITIONS; partition += 1) await station.publisher.takeOver(partition);
    await station.publisher.publishAll();
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(2);
    expect(station.metrics.fills).toHaveLength(length);
  });

  it('waits for a projector that lags but moves, and reads the log once it lags for long', async () => {
    await station.begin({ limits: { ...PATIENT, staleMs: 250, movingMs: 2000, lookMs: 125 } });
    await station.reader.listen([channelAudience(HERE), channelAudience(THERE), channelAudience(ELSEWHERE)]);
    const lagging = async () => {
      // Ten events come while the projectors take one.
      for (let n = 0; n < 10; n += 1) station.story.post(HERE, ANN);
      for (const partition of [0, 1, 2]) await station.publisher.publish(partition, 1);
      await station.clock.advance(125);
    };
    for (let passed = 0; passed < 1750; passed += 125) await lagging();
    expect(station.metrics.fills).toEqual([]);
    expect(station.handed.positions).toHaveLength(14);
    for (let passed = 0; passed < 1000; passed += 125) await lagging();
    expect(new Set(station.metrics.fills)).toEqual(new Set(['stale']));
  });

  it('reads the log soon for a projector that stands still, though others move', async () => {
    await station.begin({ limits: { ...PATIENT, staleMs: 250, movingMs: 2000, lookMs: 125 } });
    await station.reader.listen([channelAudience(HERE)]);
    station.story.post(HERE, ANN);
    for (let passed = 0; passed < 500; passed += 125) {
      station.story.post(THERE, ANN);
      for (const partition of [1, 2]) await station.publisher.publish(partition);
      await station.clock.advance(125);
    }
    expect(station.metrics.fills).toContain('stale');
    expect(station.handed.positions).toContain(1);
  });

  it('asks again, now and then, for the manifests of a silent partition', async () => {
    await station.begin({ limits: HASTY });
    const asked = () => station.transport.asked.filter((name) => name === '0/manifest').length;
    const silence = async () => {
      await station.clock.advance(20);
      station.story.post(HERE, ANN);
      await station.arrivesThrough(station.story.log.all.length);
    };
    expect(asked()).toBe(1);
    await silence();
    expect(asked()).toBe(2);
    await silence();
    expect(asked()).toBe(2);
    await station.clock.advance(10_000);
    await silence();
    expect(asked()).toBe(3);
  });

  it('takes repeated messages once', async () => {
    await station.beginListening(HERE);
    station.transport.fate = () => 'twice';
    for (let n = 0; n < 3; n += 1) {
      station.story.post(HERE, ANN);
      await station.publisher.publishAll();
    }
    await station.arrivesThrough(3);
    expect(station.handed.positions).toEqual([1, 2, 3]);
    expect(station.metrics.fills).toEqual([]);
  });

  it('ignores a second projector that is behind', async () => {
    await station.beginListening(HERE);
    const second = new MemoryPublisher(station.story.log, PARTITIONS);
    second.transports.push(station.transport);
    for (let n = 0; n < 4; n += 1) {
      station.story.post(HERE, ANN);
      await station.publisher.publishAll();
      if (n % 2 === 1) await second.publishAll();
    }
    await station.arrivesThrough(4);
    expect(station.handed.positions).toEqual([1, 2, 3, 4]);
    expect(station.metrics.fills).toEqual([]);
  });

  it('reads the range between one projector and the next', async () => {
    await station.beginListening(HERE);
    station.story.post(HERE, ANN);
    for (let partition = 0; partition < PARTITIONS; partition += 1) await station.publisher.takeOver(partition);
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(2);
    expect(station.handed.positions).toEqual([1, 2]);
    expect(station.metrics.fills).toContain('chain');
  });

  it('does not accept a manifest as complete if its pulse came with another batch', async () => {
    await station.beginListening(HERE);
    station.story.post(HERE, ANN);
    station.story.post(HERE, ANN);
    const [first] = station.story.log.all;
    station.transport.deliver({
      partition: 0,
      channel: `c:${HERE}`,
      text: encodePulse({ from: 0, to: 1, through: 1, events: [first!] }),
    });
    station.transport.fate = ({ channel }) => (channel === `c:${HERE}` ? 'lost' : 'arrives');
    await station.publisher.publishAll();
    await station.arrivesThrough(2);
    expect(station.handed.positions).toEqual([1, 2]);
    expect(station.metrics.fills).toEqual(['pulse']);
  });

  it('ignores unreadable messages, and reads from the log what they stood for', async () => {
    const warnings: string[] = [];
    await station.begin({ logger: { warn: (_fields, message) => warnings.push(message) } });
    await station.reader.listen([channelAudience(HERE)]);
    for (const text of ['{', '[]', '{"from":0}', '{"from":0,"to":1,"through":1,"events":[{"type":"unheard-of"}]}'])
      for (const channel of ['manifest', `c:${HERE}`]) station.transport.deliver({ partition: 0, channel, text });
    expect(warnings).toHaveLength(8);
    station.transport.reconnected();
    station.story.post(HERE, ANN);
    await station.publisher.publishAll();
    await station.arrivesThrough(1);
    expect(station.handed.positions).toEqual([1]);
  });
});
