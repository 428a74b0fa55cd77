import { beforeEach, describe, expect, it } from 'vitest';
import type { Following } from '../../projections/distribution/assignment.ts';
import { TestClock } from '../../schemas/clock.testing.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { FollowedHere } from './followed.ts';

const LIMITS = { events: 100, seconds: 5 };

class Fake implements Following {
  readonly group: string;
  at = new Map([[0, 0]]);
  outsideMs = 0;
  stopped = false;

  constructor(group: string) {
    this.group = group;
  }

  positions() {
    return this.at;
  }

  unconfirmedMs() {
    return this.outsideMs;
  }

  async stop() {
    this.stopped = true;
  }
}

describe('what a process follows', () => {
  let clock: TestClock;
  let metrics: ReturnType<typeof createMetrics>;
  let followed: FollowedHere;
  let timelines: Fake;
  let unread: Fake;

  const shown = async (name: string) =>
    (await metrics.registry.getSingleMetric(name)!.get()).values.map(({ labels, value }) => [labels.group, value]);

  beforeEach(() => {
    clock = new TestClock();
    metrics = createMetrics();
    followed = new FollowedHere(metrics, clock);
    timelines = new Fake('timelines-g1');
    unread = new Fake('unread-g1');
    followed.add(timelines);
    followed.add(unread);
  });

  it('gives no reason while its groups confirm it and its partitions are near the head', async () => {
    followed.look(100);
    await clock.advance(5000);
    expect(followed.reasons(LIMITS)).toEqual([]);
  });

  it('gives as a reason each group that has not confirmed this process for more than 5 s', () => {
    timelines.outsideMs = 5000;
    unread.outsideMs = 7260;
    unread.at = new Map();
    expect(followed.reasons(LIMITS)).toEqual([
      'unread-g1: its consumer group has not confirmed this process for 7.3 s',
    ]);
  });

  it('gives as a reason each group whose partitions stand still while the log moves on', async () => {
    followed.look(50);
    unread.at = new Map([
      [0, 50],
      [1, 60],
    ]);
    await clock.advance(5100);
    expect(followed.reasons(LIMITS)).toEqual([
      'timelines-g1: the partitions followed here are 50 events (5.1 s) behind the log',
    ]);
    followed.look(500);
    expect(followed.reasons(LIMITS)).toContain(
      'unread-g1: the partitions followed here are 450 events (0.0 s) behind the log',
    );
  });

  it('expects nothing of a process that has no partition, because the others have them all', async () => {
    timelines.at = new Map();
    followed.look(500);
    await clock.advance(60_000);
    expect(followed.reasons(LIMITS).some((reason) => reason.startsWith('timelines'))).toBe(false);
  });

  it('is shown as metrics, of which those of an ended group are removed', async () => {
    timelines.outsideMs = 300;
    followed.look(undefined);
    expect(await shown('parley_followed_partitions')).toEqual([
      ['timelines-g1', 1],
      ['unread-g1', 1],
    ]);
    expect(await shown('parley_consumer_unconfirmed_seconds')).toEqual([
      ['timelines-g1', 0.3],
      ['unread-g1', 0],
    ]);
    await followed.end(timelines);
    followed.look(undefined);
    expect(timelines.stopped).toBe(true);
    expect(await shown('parley_followed_partitions')).toEqual([['unread-g1', 1]]);
  });
});
