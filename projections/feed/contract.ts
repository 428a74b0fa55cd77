/** What every transport of the feed must do for a gateway. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Takeover } from '../../coordination/port.ts';
import type { Passing } from '../../schemas/clock.testing.ts';
import type { Clock } from '../../schemas/clock.ts';
import { channelAudience, userAudience } from '../../schemas/streams.ts';
import { partitionOf } from '../engine/partitions.ts';
import { Story } from '../testing.ts';
import { decodeManifest, decodeSaid, type Manifest } from './payloads.ts';
import type { FeedPublisher, FeedTransport, SignalPublisher, TypingTold } from './port.ts';
import { deliverySink } from './publish.ts';
import type { MendingFeedReader } from './reader.ts';
import { aReader, CountedFills, Handed } from './testing.ts';

export interface FeedFixture extends Passing {
  readonly clock: Clock;
  /** A projector's end, which can publish. */
  publisher(): Promise<FeedPublisher>;
  /** A gateway's end, which can subscribe. */
  transport(): Promise<FeedTransport>;
  signals(partitions: number): SignalPublisher;
  /** Cuts the connection of every gateway; they reconnect. */
  cut(): Promise<void>;
  dispose(): Promise<void>;
}

const PARTITIONS = 3;
const ANN = '10';
/** One channel per partition. */
const [HERE, THERE] = [0, 1].map((partition) => {
  for (let id = 30; ; id += 1) if (partitionOf(`channel-${id}`, PARTITIONS) === partition) return String(id);
}) as [string, string];

export const feedContract = (name: string, open: () => Promise<FeedFixture>) =>
  describe(`the delivery feed on ${name}`, () => {
    let fixture: FeedFixture;
    let story: Story;
    let publisher: FeedPublisher;
    const readers: MendingFeedReader[] = [];

    beforeEach(async () => {
      fixture = await open();
      story = new Story();
      publisher = await fixture.publisher();
    });
    afterEach(async () => {
      for (const reader of readers.splice(0)) await reader.stop();
      await fixture.dispose();
    });

    describe('what a projector publishes', () => {
      let manifests: Manifest[];
      /** Pulses and manifests in order of arrival. */
      let order: string[];

      beforeEach(async () => {
        manifests = [];
        order = [];
        const transport = await fixture.transport();
        transport.start({
          onMessage: (_, channel, text) => {
            order.push(channel);
            if (channel === 'manifest') manifests.push(decodeManifest(text));
            else decodeSaid(text);
          },
          onReconnect: () => {},
        });
        await transport.subscribe(0, ['manifest', 'structure', 'c:30', 'c:31']);
      });

      const publish = (from: number, through: number, events = story.log.all) =>
        publisher.publish({ partition: 0, from, events, through });
      const numbersBecome = (...expected: readonly (readonly [from: number, to: number, through: number])[]) =>
        fixture
          .until(() => manifests.length >= expected.length)
          .then(() => expect(manifests.map(({ from, to, through }) => [from, to, through])).toEqual(expected));

      it('is one pulse per channel, then the manifest', async () => {
        story.post('30', ANN);
        story.post('31', ANN);
        story.post('30', ANN);
        story.join('20', ANN);
        await publish(0, 6);
        await numbersBecome([0, 4, 6]);
        expect(order).toEqual(['c:30', 'c:31', 'structure', 'manifest']);
        expect(manifests[0]!.channels).toEqual(['c:30', 'c:31', 'structure']);
      });

      it('begins at the last published event, so that empty batches need not arrive', async () => {
        story.post('30', ANN);
        await publish(0, 3);
        await publish(3, 8, []);
        await publish(8, 9, []);
        await numbersBecome([0, 1, 3], [1, 1, 8], [1, 1, 9]);
      });

      it('begins where it is told to if it did not publish the batch before', async () => {
        await publish(5, 8, []);
        await publish(10, 11, []);
        await numbersBecome([5, 5, 8], [10, 10, 11]);
      });

      it('is split into linked pieces when it is large', async () => {
        for (let n = 0; n < 600; n += 1) story.post('30', ANN);
        await publish(0, 700);
        await numbersBecome([0, 250, 250], [250, 500, 500], [500, 600, 700]);
      });
    });

    describe('a gateway', () => {
      /** A node that receives the log through the feed alone. */
      const gateway = async () => {
        const handed = new Handed();
        const typed: TypingTold[] = [];
        const takeovers: Takeover[] = [];
        const metrics = new CountedFills();
        const transport = await fixture.transport();
        const reader = aReader({
          log: story.log,
          transport,
          partitions: PARTITIONS,
          onTyping: (typing) => typed.push(typing),
          onTakeover: (takeover) => takeovers.push(takeover),
          metrics,
          clock: fixture.clock,
        });
        readers.push(reader);
        await reader.start(handed.onBatch);
        // Subscribing again resolves once the subscription is in place.
        for (let partition = 0; partition < PARTITIONS; partition += 1)
          await transport.subscribe(partition, ['manifest', 'structure']);
        return { reader, handed, typed, takeovers, metrics };
      };
      /** Publishes the log beyond `from` in one partition, or in each. */
      const publish = async (from: number, partitions = [0, 1, 2], by = publisher) => {
        const onDropped = (...about: readonly unknown[]) => {
          throw about.at(-1);
        };
        const sink = deliverySink({
          publisher: by,
          log: story.log,
          partitions: PARTITIONS,
          onDropped,
          onUnreadable: onDropped,
        });
        const through = await story.log.head();
        for (const partition of partitions) {
          const events = story.since(from).filter((event) => partitionOf(event.stream, PARTITIONS) === partition);
          await sink.commit({ partition, from, events, through });
        }
      };
      const reaches = (reader: MendingFeedReader, position: number) =>
        fixture.until(() => reader.position === position);

      it('receives what it listens to, in position order, as far as every partition has got', async () => {
        const { reader, handed, metrics } = await gateway();
        await reader.listen([channelAudience(HERE), channelAudience(THERE), userAudience(ANN)]);
        for (let n = 0; n < 400; n += 1) {
          story.post(HERE, ANN);
          story.post(THERE, ANN);
          story.post('99', ANN);
          if (n % 100 === 0) story.read(ANN, { [HERE]: n });
          if (n % 100 === 1) story.read('11', { [HERE]: n });
          if (n % 100 === 2) story.join('20', String(1000 + n));
        }
        await publish(0, [0, 1]);
        await publish(0, [2]);
        await reaches(reader, story.log.all.length);
        expect(handed.events).toEqual(
          story.log.all.filter(
            ({ stream, type, data }) =>
              stream === `channel-${HERE}` ||
              stream === `channel-${THERE}` ||
              type === 'member-joined' ||
              (type === 'channels-read' && data.userId === ANN),
          ),
        );
        expect(metrics.fills).toEqual([]);
      });

      it('receives typing in the channels it listens to', async () => {
        const [here, elsewhere] = [await gateway(), await gateway()];
        await here.reader.listen([channelAudience(HERE)]);
        const typing = { channelId: HERE, guildId: null, userId: ANN, time: 5 };
        fixture.signals(PARTITIONS).typing(typing);
        await fixture.until(() => here.typed.length > 0);
        expect([here.typed, elsewhere.typed]).toEqual([[typing], []]);
      });

      it('receives takeovers of sessions of the people it listens to, in the order in which all receive them', async () => {
        const [here, there, elsewhere] = [await gateway(), await gateway(), await gateway()];
        for (const { reader } of [here, there]) await reader.listen([userAudience(ANN)]);
        const signals = fixture.signals(PARTITIONS);
        for (const claim of ['a', 'b', 'c']) signals.takeover({ userId: ANN, sessionId: 'one', claim });
        await fixture.until(() => here.takeovers.length === 3 && there.takeovers.length === 3);
        expect(here.takeovers.map(({ claim }) => claim)).toEqual(['a', 'b', 'c']);
        expect(there.takeovers).toEqual(here.takeovers);
        expect(elsewhere.takeovers).toEqual([]);
      });

      it('receives everything beyond its watermark when it starts to listen late', async () => {
        const { reader, handed, metrics } = await gateway();
        await reader.listen([channelAudience(THERE)]);
        story.post(HERE, ANN);
        story.post(THERE, ANN);
        await publish(0, [0]);
        // Its manifest has arrived once a later one has.
        const witness = await gateway();
        await witness.reader.listen([channelAudience(HERE)]);
        fixture.signals(PARTITIONS).typing({ channelId: HERE, guildId: null, userId: ANN, time: 5 });
        await fixture.until(() => witness.typed.length > 0);
        await reader.listen([channelAudience(HERE)]);
        await publish(0, [1, 2]);
        await reaches(reader, 2);
        expect(handed.positions).toEqual([1, 2]);
        expect(metrics.fills.filter((reason) => reason !== 'subscription')).toEqual([]);
      });

      it('reads from the log what was never published', async () => {
        const { reader, handed, metrics } = await gateway();
        await reader.listen([channelAudience(HERE)]);
        story.post(HERE, ANN);
        await publish(0);
        await reaches(reader, 1);
        story.post(HERE, ANN);
        story.post(HERE, ANN);
        await publish(2);
        await reaches(reader, 3);
        expect(handed.positions).toEqual([1, 2, 3]);
        expect(metrics.fills).toContain('chain');
      });

      it('receives once what two projectors publish', async () => {
        const { reader, handed, metrics } = await gateway();
        const second = await fixture.publisher();
        await reader.listen([channelAudience(HERE)]);
        for (let n = 0; n < 4; n += 1) {
          story.post(HERE, ANN);
          await publish(n);
          await publish(n, [0, 1, 2], second);
        }
        await reaches(reader, 4);
        expect(handed.positions).toEqual([1, 2, 3, 4]);
        expect(metrics.fills).toEqual([]);
      });

      it('misses nothing when its connection is cut', async () => {
        const { reader, handed } = await gateway();
        await reader.listen([channelAudience(HERE)]);
        story.post(HERE, ANN);
        await publish(0);
        await reaches(reader, 1);
        story.post(HERE, ANN);
        await fixture.cut();
        await publish(1);
        await reaches(reader, 2);
        story.post(HERE, ANN);
        await publish(2);
        await reaches(reader, 3);
        expect(handed.positions).toEqual([1, 2, 3]);
      });

      it('no longer receives what it has left', async () => {
        const { reader, handed } = await gateway();
        await reader.listen([channelAudience(HERE), channelAudience(THERE)]);
        reader.leave([channelAudience(HERE)]);
        story.post(HERE, ANN);
        story.post(THERE, ANN);
        await publish(0);
        await reaches(reader, 2);
        expect(handed.positions).toEqual([2]);
      });
    });
  });
