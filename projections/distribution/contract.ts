/** What relays and followers of every distribution log must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryCheckpoints } from '../../coordination/memory.ts';
import type { Checkpoints } from '../../coordination/port.ts';
import { MemoryLog } from '../../log/memory.ts';
import type { LogReader } from '../../log/port.ts';
import type { Passing } from '../../schemas/clock.testing.ts';
import type { DeadLetters, NewLetter } from '../engine/dead-letters/port.ts';
import { partitionOf } from '../engine/partitions.ts';
import { byStream, MemorySink, memoryDeadLetters } from '../engine/testing.ts';
import { Story } from '../testing.ts';
import type { Following } from './assignment.ts';
import type { Relay } from './relay.ts';
import type { FoundRecord } from './testing.ts';
import type { StoredBatch } from './worker.ts';

export interface Followed {
  readonly log: LogReader;
  readonly sink: MemorySink;
  readonly deadLetters?: DeadLetters;
  readonly onDeadLetter?: (letter: NewLetter) => void;
  readonly onThrough?: (partition: number, stored: StoredBatch) => void;
}

export interface DistributionFixture extends Passing {
  readonly partitions: number;
  /** Rejects when the relay fails. */
  relay(options: {
    readonly log: LogReader;
    readonly checkpoints: Checkpoints;
    readonly onRelayed?: (events: number, through: number) => void;
  }): Relay;
  /** Starts another member of the same group. Rejects when the follower fails. */
  follow(options: Followed): Following;
  /** All records now in the log, in order within each partition. */
  contents(): Promise<readonly FoundRecord[]>;
  /** Removes all records now in the log, as retention does. */
  expire(): Promise<void>;
  dispose(): Promise<void>;
}

export const distributionContract = (name: string, open: () => Promise<DistributionFixture>) =>
  describe(`the distribution log in ${name}`, () => {
    let fixture: DistributionFixture;
    let log: MemoryLog;
    let story: Story;
    let checkpoints: MemoryCheckpoints;
    let sink: MemorySink;
    const running = new Set<{ stop(): Promise<void> }>();

    beforeEach(async () => {
      fixture = await open();
      log = new MemoryLog();
      story = new Story(log);
      checkpoints = new MemoryCheckpoints();
      sink = new MemorySink(fixture.partitions);
    });
    afterEach(async () => {
      await Promise.all([...running].map((one) => one.stop()));
      running.clear();
      await fixture.dispose();
    });

    const started = <T extends { stop(): Promise<void> }>(one: T): T => {
      running.add(one);
      return one;
    };
    const stop = async (one: { stop(): Promise<void> }) => {
      running.delete(one);
      await one.stop();
    };
    const relay = (more: { readonly onRelayed?: (events: number, through: number) => void } = {}) =>
      started(fixture.relay({ log, checkpoints, ...more }));
    const follow = (more: Partial<Followed> = {}) => started(fixture.follow({ log, sink, ...more }));
    const post = (count: number) => {
      for (let n = 0; n < count; n += 1) story.post(String(100 + (n % 23)), '1');
    };
    const relayed = (one: Relay, position: number) => fixture.until(() => one.position >= position);
    const stored = (position: number) => fixture.until(() => sink.positions.every((at) => at >= position));
    const events = async () => (await fixture.contents()).flatMap(({ event }) => event ?? []);
    /** Each event exactly once, in order within each stream. */
    const expectAll = () => {
      expect(byStream(sink.events)).toEqual(byStream([...log.all].sort((a, b) => a.position - b.position)));
      expect(sink.events.length).toBe(log.all.length);
    };

    describe('a relay', () => {
      it('copies the log by stream, in order, with ticks whose counts add up', async () => {
        post(2500);
        const one = relay();
        await relayed(one, 2500);
        post(10);
        await relayed(one, 2510);
        await stop(one);
        const found = await fixture.contents();
        expect((await events()).length).toBe(2510);
        for (const { partition, key, event } of found)
          if (event !== undefined)
            expect([partition, key]).toEqual([partitionOf(event.stream, fixture.partitions), event.stream]);
        expect((await events()).find(({ position }) => position === 1200)).toEqual(log.all[1199]);
        for (let partition = 0; partition < fixture.partitions; partition += 1) {
          let [reached, count, last] = [0, 0, 0];
          for (const { event, tick } of found.filter((record) => record.partition === partition)) {
            if (event !== undefined) {
              expect(event.position).toBeGreaterThan(last);
              last = event.position;
              count += 1;
            }
            if (tick === undefined) continue;
            expect(tick).toMatchObject({ from: reached, through: tick.through, count, epoch: log.epoch });
            expect(last).toBeLessThanOrEqual(tick.through);
            [reached, count] = [tick.through, 0];
          }
          expect(reached).toBe(2510);
        }
        expect(checkpoints.positions.get('relay')).toBe(2510);
      });

      it('carries far more events than fit into one request', async () => {
        for (let n = 0; n < 400; n += 1) story.post('100', '1', { nonce: 'x'.repeat(10_000) });
        await relayed(relay(), 400);
        expect((await events()).length).toBe(400);
      });

      it('continues from its checkpoint', async () => {
        post(10);
        const first = relay();
        await relayed(first, 10);
        await stop(first);
        post(10);
        await relayed(relay(), 20);
        expect((await events()).length).toBe(20);
      });

      it('starts at the head if its checkpoint is beyond the log', async () => {
        post(5);
        await checkpoints.write('relay', 100);
        const one = relay();
        await relayed(one, 5);
        post(3);
        await relayed(one, 8);
        await stop(one);
        expect((await events()).map(({ position }) => position).sort()).toEqual([6, 7, 8]);
      });

      it('publishes the head position every second while the log is idle', async () => {
        post(5);
        let idle = 0;
        const one = relay({
          onRelayed: (count, through) => {
            if (count === 0 && through === 5) idle += 1;
          },
        });
        // The first may be for partitions without events.
        await fixture.until(() => idle === 2);
        await stop(one);
        const ticks = (await fixture.contents()).flatMap(({ tick }) => tick ?? []);
        const idleTicks = ticks.filter(({ from, through, count }) => from === 5 && through === 5 && count === 0);
        expect(idleTicks.length).toBeGreaterThanOrEqual(fixture.partitions);
      });
    });

    describe('followers', () => {
      it('store every event and report their position', async () => {
        const through = new Map<number, number>();
        const sources = { distribution: 0, log: 0 };
        follow({
          onThrough: (partition, batch) => {
            through.set(partition, batch.through);
            sources[batch.source] += batch.events;
          },
        });
        relay();
        post(3000);
        await stored(3000);
        for (let n = 0; n < 20; n += 1) {
          post(5);
          await stored(log.all.length);
        }
        expectAll();
        await fixture.until(() => sink.positions.every((_, partition) => through.get(partition) === 3100));
        expect(sources.distribution).toBeGreaterThan(0);
        expect(sources.distribution + sources.log).toBe(3100);
      });

      it('read nothing from the event log while the distribution log has everything', async () => {
        const sources = new Set<string>();
        relay();
        follow({ onThrough: (_, { events, source }) => events > 0 && sources.add(source) });
        for (const through of [2000, 4000]) {
          post(2000);
          await stored(through);
        }
        expect([...sources]).toEqual(['distribution']);
      });

      it('start with the events that the distribution log no longer holds', async () => {
        post(2500);
        await checkpoints.write('relay', 2000);
        relay();
        follow();
        await stored(2500);
        expectAll();
      });

      it('read from the event log what expired while they were away', async () => {
        const one = relay();
        post(1000);
        const first = follow();
        await stored(1000);
        await stop(first);
        post(1000);
        await relayed(one, 2000);
        await stop(one);
        await fixture.expire();
        relay();
        follow();
        await stored(2000);
        expectAll();
      });

      it('share the partitions, and hand theirs over when they stop', async () => {
        relay();
        const [one, two] = [follow(), follow()];
        post(100);
        await stored(100);
        const half = fixture.partitions / 2;
        await fixture.until(() => {
          post(1);
          return one.positions().size === half && two.positions().size === half;
        });
        await stop(one);
        post(100);
        await stored(log.all.length);
        expectAll();
      });

      it('apply each event once with two relays running, and with one that keeps restarting', async () => {
        follow();
        const steady = relay();
        for (let round = 0; round < 5; round += 1) {
          // A killed relay has not stored its checkpoint.
          checkpoints = new MemoryCheckpoints();
          const other = relay();
          post(700);
          await stored(log.all.length - 300);
          await stop(other);
        }
        await stored(3500);
        await relayed(steady, 3500);
        expectAll();
      });

      it('continue from the store’s checkpoint after the store lost everything', async () => {
        relay();
        follow();
        post(1500);
        await stored(1500);
        sink.empty();
        post(10);
        await stored(1510);
        expectAll();
      });

      it('skip the stream of an event that the store refuses, until it is retried', async () => {
        const letters = memoryDeadLetters();
        const told: number[] = [];
        relay();
        follow({ deadLetters: letters, onDeadLetter: ({ position }) => told.push(position) });
        sink.kind = 'permanent';
        sink.fails = (batch) =>
          batch.events.some(({ position }) => position === 30) ? new Error('it does not fit') : undefined;
        post(100);
        await stored(100);
        expect(told).toEqual([30]);
        const { stream, sequence } = log.all[29]!;
        const leftOut = log.all.filter((event) => event.stream === stream && event.sequence >= sequence);
        expect(sink.events.length).toBe(100 - leftOut.length);
        sink.fails = () => undefined;
        expect(await letters.requestRetry({ projection: 'timelines-g1' })).toBe(1);
        await fixture.until(() => sink.events.length === 100);
        post(23);
        await stored(123);
        expectAll();
        expect(await letters.list()).toEqual([]);
      });
    });
  });
