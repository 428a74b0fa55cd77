import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelAudience, guildAudience, userAudience } from '../../schemas/streams.ts';
import { partitionOf } from '../partitions.ts';
import { Story } from '../testing.ts';
import { encodePulse } from './messages.ts';
import type { MendingFeedReader } from './reader.ts';
import { aReader, CountedFills, HASTY, Handed, MemoryPublisher, MemoryTransport, PATIENT } from './testing.ts';

const PARTITIONS = 3;
const ANN = '10';
const BOB = '11';

/** Channels of partitions 0, 1 and 2. */
const [HERE, THERE, ELSEWHERE] = [0, 1, 2].map((partition) => {
  for (let id = 30; ; id += 1) if (partitionOf(`channel-${id}`, PARTITIONS) === partition) return String(id);
}) as [string, string, string];

describe('the feed of a gateway', () => {
  let story: Story;
  let transport: MemoryTransport;
  let publisher: MemoryPublisher;
  let metrics: CountedFills;
  let handed: Handed;
  let reader: MendingFeedReader;
  let now: number;

  const begin = async (options: Partial<Parameters<typeof aReader>[0]> = {}) => {
    reader = aReader({ log: story.log, transport, partitions: PARTITIONS, metrics, clock: () => now, ...options });
    await reader.start(handed.onBatch);
  };
  const arrivesThrough = (position: number) => expect.poll(() => reader.position).toBe(position);

  beforeEach(() => {
    now = 0;
    story = new Story();
    transport = new MemoryTransport();
    publisher = new MemoryPublisher(story.log, PARTITIONS);
    publisher.transports.push(transport);
    metrics = new CountedFills();
    handed = new Handed();
  });
  afterEach(() => reader.stop());

  it('begins at the head of the log', async () => {
    story.post(HERE, ANN);
    await begin();
    expect(reader.position).toBe(1);
    await reader.listen([channelAudience(HERE)]);
    await publisher.publishAll();
    story.post(HERE, ANN);
    await publisher.publishAll();
    await arrivesThrough(2);
    expect(handed.positions).toEqual([2]);
    expect(metrics.fills).toEqual([]);
  });

  it('holds back what is beyond the partition that has got least far', async () => {
    await begin();
    await reader.listen([channelAudience(HERE), channelAudience(THERE)]);
    story.post(HERE, ANN);
    story.post(THERE, ANN);
    story.post(HERE, ANN);
    await publisher.publish(0);
    await publisher.publish(1);
    expect(reader.position).toBe(0);
    await publisher.publish(2, 2);
    await arrivesThrough(2);
    expect(handed.positions).toEqual([1, 2]);
    await publisher.publish(2);
    await arrivesThrough(3);
    expect(handed.positions).toEqual([1, 2, 3]);
    expect(metrics.fills).toEqual([]);
  });

  it('hears structure always, channels and people when it listens to them', async () => {
    await begin();
    await reader.listen([guildAudience('20'), userAudience(ANN)]);
    story.guild('20', ANN);
    story.channel(HERE, '20');
    story.invite('code', '20', HERE, ANN);
    story.post(HERE, ANN);
    story.read(ANN, { [HERE]: 1 });
    story.read(BOB, { [HERE]: 1 });
    story.direct('40', ANN, BOB);
    await publisher.publishAll();
    await arrivesThrough(8);
    expect(handed.positions).toEqual([1, 2, 3, 5, 7, 8]);
    expect(transport.asked.some((name) => name.includes('20'))).toBe(false);
  });

  it('ends a batch at each event that changes rights, and tells of its position alone', async () => {
    await begin();
    story.join('20', ANN);
    story.invite('code', '20', HERE, ANN);
    story.leave('20', ANN);
    story.post(HERE, ANN);
    await publisher.publishAll();
    await arrivesThrough(4);
    expect(handed.batches.map(({ events, through }) => [events.map((event) => event.position), through])).toEqual([
      [[1], 1],
      [[2, 3], 3],
      [[], 4],
    ]);
  });

  it('hands over one batch after another', async () => {
    let free = () => {};
    const begun: number[] = [];
    reader = aReader({ log: story.log, transport, partitions: PARTITIONS, metrics });
    await reader.start((_events, through) => {
      begun.push(through);
      return new Promise((resolve) => {
        free = resolve;
      });
    });
    story.join('20', ANN);
    story.join('20', BOB);
    await publisher.publishAll();
    await expect.poll(() => begun).toEqual([1]);
    expect(reader.position).toBe(0);
    free();
    await expect.poll(() => begun).toEqual([1, 2]);
    free();
    await arrivesThrough(2);
  });

  describe('reads from the log', () => {
    it('what a lost pulse held', async () => {
      await begin();
      await reader.listen([channelAudience(HERE)]);
      story.post(HERE, ANN);
      story.post(THERE, ANN);
      transport.fate = ({ channel }) => (channel === `c:${HERE}` ? 'lost' : 'arrives');
      await publisher.publishAll();
      await arrivesThrough(2);
      expect(handed.positions).toEqual([1]);
      expect(metrics.fills).toEqual(['pulse']);
    });

    it('what a lost manifest spoke of, when the next one comes', async () => {
      await begin();
      await reader.listen([channelAudience(HERE)]);
      story.post(HERE, ANN);
      transport.fate = () => 'lost';
      await publisher.publishAll();
      transport.fate = () => 'arrives';
      story.post(HERE, ANN);
      await publisher.publishAll();
      await arrivesThrough(2);
      expect(handed.positions).toEqual([1, 2]);
      expect(metrics.fills).toEqual(['chain']);
    });

    it('nothing, when only manifests without events were lost', async () => {
      await begin();
      story.post(HERE, ANN);
      await publisher.publishAll();
      transport.fate = () => 'lost';
      story.post(THERE, ANN);
      await publisher.publish(2);
      transport.fate = () => 'arrives';
      story.post(THERE, ANN);
      await publisher.publishAll();
      await arrivesThrough(3);
      expect(metrics.fills).toEqual([]);
    });

    it('everything, while nobody publishes', async () => {
      await begin({ limits: HASTY, clock: () => performance.now() });
      await reader.listen([channelAudience(HERE)]);
      for (let n = 0; n < 3; n += 1) {
        story.post(HERE, ANN);
        story.post(THERE, ANN);
        await arrivesThrough(story.log.all.length);
      }
      expect(handed.positions).toEqual([1, 3, 5]);
      expect(new Set(metrics.fills)).toEqual(new Set(['stale']));
    });

    it('the log once for all partitions', async () => {
      let readings = 0;
      const readAll: typeof story.log.readAll = (query) => {
        readings += 1;
        return story.log.readAll(query);
      };
      await begin({ log: { head: () => story.log.head(), readAll } });
      await reader.listen([channelAudience(HERE), channelAudience(THERE), channelAudience(ELSEWHERE)]);
      for (let n = 0; n < 100; n += 1) for (const channel of [HERE, THERE, ELSEWHERE]) story.post(channel, ANN);
      transport.reconnected();
      await arrivesThrough(300);
      expect(handed.positions).toHaveLength(300);
      expect(readings).toBe(1);
      expect(metrics.fills).toEqual(['reconnect', 'reconnect', 'reconnect']);
    });

    it('again, when the log does not answer', async () => {
      let failures = 2;
      const readAll: typeof story.log.readAll = async (query) => {
        failures -= 1;
        if (failures >= 0) throw new Error('not now');
        return story.log.readAll(query);
      };
      await begin({ log: { head: () => story.log.head(), readAll } });
      story.join('20', ANN);
      transport.reconnected();
      await arrivesThrough(1);
      expect(handed.positions).toEqual([1]);
    });

    it('no event that it does not listen to', async () => {
      await begin();
      story.post(HERE, ANN);
      transport.reconnected();
      await arrivesThrough(1);
      expect(handed.positions).toEqual([]);
    });
  });

  it('goes on reading the log until the feed is in time again', async () => {
    await begin({ limits: HASTY, clock: () => performance.now() });
    story.post(HERE, ANN);
    await arrivesThrough(1);
    const { length } = metrics.fills;
    expect(length).toBeGreaterThan(0);
    for (let partition = 0; partition < PARTITIONS; partition += 1) await publisher.takeOver(partition);
    await publisher.publishAll();
    story.post(HERE, ANN);
    await publisher.publishAll();
    await arrivesThrough(2);
    expect(metrics.fills).toHaveLength(length);
  });

  it('takes what is repeated once', async () => {
    await begin();
    await reader.listen([channelAudience(HERE)]);
    transport.fate = () => 'twice';
    for (let n = 0; n < 3; n += 1) {
      story.post(HERE, ANN);
      await publisher.publishAll();
    }
    await arrivesThrough(3);
    expect(handed.positions).toEqual([1, 2, 3]);
    expect(metrics.fills).toEqual([]);
  });

  it('is not disturbed by a second projector that is behind', async () => {
    await begin();
    await reader.listen([channelAudience(HERE)]);
    const second = new MemoryPublisher(story.log, PARTITIONS);
    second.transports.push(transport);
    for (let n = 0; n < 4; n += 1) {
      story.post(HERE, ANN);
      await publisher.publishAll();
      if (n % 2 === 1) await second.publishAll();
    }
    await arrivesThrough(4);
    expect(handed.positions).toEqual([1, 2, 3, 4]);
    expect(metrics.fills).toEqual([]);
  });

  it('reads what lies between one projector and the next', async () => {
    await begin();
    await reader.listen([channelAudience(HERE)]);
    story.post(HERE, ANN);
    for (let partition = 0; partition < PARTITIONS; partition += 1) await publisher.takeOver(partition);
    story.post(HERE, ANN);
    await publisher.publishAll();
    await arrivesThrough(2);
    expect(handed.positions).toEqual([1, 2]);
    expect(metrics.fills).toContain('chain');
  });

  it('does not take a manifest for whole whose pulse came with another batch', async () => {
    await begin();
    await reader.listen([channelAudience(HERE)]);
    story.post(HERE, ANN);
    story.post(HERE, ANN);
    transport.fate = ({ channel }) => (channel === `c:${HERE}` ? 'lost' : 'arrives');
    const [first] = story.log.all;
    transport.fate = () => 'arrives';
    transport.deliver({
      partition: 0,
      channel: `c:${HERE}`,
      text: encodePulse({ from: 0, to: 1, through: 1, events: [first!] }),
    });
    transport.fate = ({ channel }) => (channel === `c:${HERE}` ? 'lost' : 'arrives');
    await publisher.publishAll();
    await arrivesThrough(2);
    expect(handed.positions).toEqual([1, 2]);
    expect(metrics.fills).toEqual(['pulse']);
  });

  it('ignores what is no message of the feed, and mends what it stood for', async () => {
    const warnings: string[] = [];
    await begin({ logger: { warn: (_fields, message) => warnings.push(message) } });
    await reader.listen([channelAudience(HERE)]);
    for (const text of ['{', '[]', '{"from":0}', '{"from":0,"to":1,"through":1,"events":[{"type":"unheard-of"}]}'])
      for (const channel of ['manifest', `c:${HERE}`]) transport.deliver({ partition: 0, channel, text });
    expect(warnings).toHaveLength(8);
    transport.reconnected();
    story.post(HERE, ANN);
    await publisher.publishAll();
    await arrivesThrough(1);
    expect(handed.positions).toEqual([1]);
  });

  it('tells of typing in the channels it listens to', async () => {
    const typed: unknown[] = [];
    await begin({ onTyping: (typing) => typed.push(typing) });
    await reader.listen([channelAudience(HERE)]);
    const typing = { channelId: HERE, guildId: null, userId: ANN, time: 1 };
    transport.deliver({ partition: 0, channel: `c:${HERE}`, text: JSON.stringify({ typing }) });
    expect(typed).toEqual([typing]);
  });

  it('says how long events waited for the watermark', async () => {
    await begin();
    await reader.listen([channelAudience(HERE)]);
    story.post(HERE, ANN);
    await publisher.publish(0);
    now = 7;
    await publisher.publish(1);
    await publisher.publish(2);
    await arrivesThrough(1);
    expect(metrics.delays).toEqual([7]);
  });

  it('stops with what its listener throws', async () => {
    const failures: unknown[] = [];
    reader = aReader({
      log: story.log,
      transport,
      partitions: PARTITIONS,
      metrics,
      onFailure: (error) => failures.push(error),
    });
    const broken = new Error('the listener is broken');
    await reader.start(async () => {
      throw broken;
    });
    story.join('20', ANN);
    await publisher.publishAll();
    await expect.poll(() => failures).toEqual([broken]);
    story.join('20', BOB);
    await publisher.publishAll();
    expect(failures).toEqual([broken]);
    expect(reader.position).toBe(0);
  });

  describe('a new subscription', () => {
    it('holds back who asked for it until it is in place, and nobody else', async () => {
      await begin();
      await reader.listen([channelAudience(THERE)]);
      transport.subscribing = 'hangs';
      let listening = false;
      const listened = reader.listen([channelAudience(HERE)]).then(() => {
        listening = true;
      });
      story.post(HERE, ANN);
      story.post(THERE, ANN);
      await publisher.publishAll();
      await arrivesThrough(2);
      expect(handed.positions).toEqual([2]);
      expect(listening).toBe(false);
      transport.confirmHanging();
      await listened;
      story.post(HERE, ANN);
      await publisher.publishAll();
      await arrivesThrough(3);
      expect(handed.positions).toEqual([2, 3]);
      expect(metrics.fills).toEqual([]);
    });

    it('is filled with what it came too late for and has not been passed yet', async () => {
      await begin();
      transport.subscribing = 'hangs';
      const listened = reader.listen([channelAudience(HERE)]);
      story.post(HERE, ANN);
      await publisher.publish(0);
      transport.confirmHanging();
      await listened;
      await publisher.publishAll();
      await arrivesThrough(1);
      expect(handed.positions).toEqual([1]);
      expect(metrics.fills).toEqual(['subscription']);
    });

    it('reads for what comes between its being asked for and being in place', async () => {
      await begin();
      await reader.listen([channelAudience(HERE)]);
      transport.cut();
      await transport.subscribe(0, ['manifest']);
      await transport.subscribe(1, ['manifest']);
      await transport.subscribe(2, ['manifest']);
      story.post(HERE, ANN);
      await publisher.publishAll();
      await arrivesThrough(1);
      expect(handed.positions).toEqual([1]);
      expect(metrics.fills).toEqual(['pulse']);
      expect(transport.hears(0, `c:${HERE}`)).toBe(true);
    });

    it.each(['refused', 'hangs'] as const)('does not wait for ever when it is %s', async (subscribing) => {
      await begin({ limits: HASTY, clock: () => performance.now() });
      transport.subscribing = subscribing;
      await reader.listen([channelAudience(HERE)]);
      story.post(HERE, ANN);
      await arrivesThrough(1);
      expect(handed.positions).toEqual([1]);
    });

    it('is one for all who listen, and ends with the last of them', async () => {
      await begin();
      await reader.listen([channelAudience(HERE), channelAudience(HERE)]);
      await reader.listen([channelAudience(HERE)]);
      expect(transport.asked.filter((name) => name === `0/c:${HERE}`)).toHaveLength(1);
      reader.leave([channelAudience(HERE), channelAudience(HERE), channelAudience('99')]);
      expect(transport.hears(0, `c:${HERE}`)).toBe(true);
      reader.leave([channelAudience(HERE)]);
      expect(transport.hears(0, `c:${HERE}`)).toBe(false);
      story.post(HERE, ANN);
      await publisher.publishAll();
      await arrivesThrough(1);
      expect(handed.positions).toEqual([]);
    });

    it('may be made from within a batch, and gets everything beyond it', async () => {
      reader = aReader({ log: story.log, transport, partitions: PARTITIONS, metrics });
      await reader.start(async (events, through) => {
        await handed.onBatch(events, through);
        if (events.at(-1)?.type === 'channel-created') await reader.listen([channelAudience(HERE)]);
      });
      story.channel(HERE, '20');
      story.post(HERE, ANN);
      story.post(THERE, ANN);
      story.post(HERE, ANN);
      await publisher.publishAll();
      await arrivesThrough(4);
      expect(handed.positions).toEqual([1, 2, 4]);
    });

    it('made before a rest gets everything beyond the position of the rest', async () => {
      reader = aReader({ log: story.log, transport, partitions: PARTITIONS, metrics });
      let free = () => {};
      await reader.start(handed.onBatch);
      const resting = reader.atRest(
        (position) =>
          new Promise<number>((resolve) => {
            free = () => resolve(position);
          }),
      );
      story.post(HERE, ANN);
      await publisher.publishAll();
      await reader.listen([channelAudience(HERE)]);
      const next = reader.atRest(async (position) => position);
      free();
      expect([await resting, await next]).toEqual([0, 0]);
      await arrivesThrough(1);
      expect(handed.positions).toEqual([1]);
    });
  });

  it('asks the log only for its head while nothing happens', async () => {
    let heads = 0;
    let readings = 0;
    await begin({
      limits: { ...PATIENT, staleMs: 10, lookMs: 5 },
      clock: () => performance.now(),
      log: {
        head: () => {
          heads += 1;
          return story.log.head();
        },
        readAll: (query) => {
          readings += 1;
          return story.log.readAll(query);
        },
      },
    });
    await expect.poll(() => heads).toBeGreaterThan(5);
    expect(readings).toBe(0);
    expect(handed.batches).toEqual([]);
  });
});
