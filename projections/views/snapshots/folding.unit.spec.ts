import { describe, expect, it } from 'vitest';
import type { Fold } from '../../../domain/decider.ts';
import { MemoryLog } from '../../../log/memory.ts';
import type { ReadStream } from '../../../log/port.ts';
import { Story } from '../../testing.ts';
import { Folding, SNAPSHOT_EVERY, type SnapshotReader, type StoredSnapshot } from './view.ts';

interface Count {
  sequence: number;
  weight: string;
}

/** Changes its state in place, as folds may. */
const countingFold = (weight = ''): Fold<Count> => ({
  version: 3,
  initial: () => ({ sequence: 0, weight }),
  evolve: (state, event) => {
    if (event.sequence !== state.sequence + 1) throw new Error(`${event.sequence} after ${state.sequence}`);
    state.sequence = event.sequence;
    return state;
  },
  toJson: (state) => ({ ...state }),
  fromJson: (json) => ({ ...(json as Count) }),
});

class Kept implements SnapshotReader {
  readonly byStream = new Map<string, StoredSnapshot>();
  put(snapshots: readonly StoredSnapshot[]) {
    for (const snapshot of snapshots) this.byStream.set(snapshot.stream, snapshot);
  }
  async latest(stream: string) {
    const kept = this.byStream.get(stream);
    if (kept === undefined) return undefined;
    const { json, ...rest } = kept;
    return { ...rest, state: JSON.parse(json) as unknown };
  }
}

class WatchedLog extends MemoryLog {
  readonly from: number[] = [];
  override readStream(query: ReadStream) {
    this.from.push(query.from ?? 1);
    return super.readStream(query);
  }
}

const STREAM = 'channel-30';

const setUp = (fold = countingFold()) => {
  const log = new WatchedLog();
  const story = new Story(log);
  const kept = new Kept();
  const folding = () => new Folding((stream) => (stream.startsWith('channel-') ? fold : undefined), log, kept);
  const follow = async (by: Folding, events: ReturnType<Story['since']>) => {
    await by.prepare(events);
    const snapshots = by.fold(events);
    kept.put(snapshots);
    return snapshots;
  };
  const post = (count: number) => {
    const before = log.all.length;
    for (let n = 0; n < count; n += 1) story.post('30', '10');
    return story.since(before);
  };
  return { log, kept, folding, follow, post, story };
};

describe('folding along', () => {
  it('yields a snapshot when a stream crosses a multiple of the interval', async () => {
    const { folding, follow, post } = setUp();
    const fold = folding();
    expect(await follow(fold, post(SNAPSHOT_EVERY - 1))).toEqual([]);
    expect(await follow(fold, post(2))).toEqual([
      { stream: STREAM, sequence: SNAPSHOT_EVERY, version: 3, json: `{"sequence":${SNAPSHOT_EVERY},"weight":""}` },
    ]);
    expect(await follow(fold, post(SNAPSHOT_EVERY))).toMatchObject([{ sequence: 2 * SNAPSHOT_EVERY }]);
  });

  it('loads nothing for a stream that is far from the next multiple', async () => {
    const { folding, post, story } = setUp();
    expect(folding().prepare(post(SNAPSHOT_EVERY - 1))).toBeUndefined();
    for (let n = 0; n < SNAPSHOT_EVERY; n += 1) story.read('11', { '30': 1 });
    expect(folding().prepare(story.since(SNAPSHOT_EVERY - 1))).toBeUndefined();
  });

  it('starts again from the latest snapshot, not from the beginning', async () => {
    const { log, folding, follow, post } = setUp();
    await follow(folding(), post(SNAPSHOT_EVERY + 10));
    log.from.length = 0;
    expect(await follow(folding(), post(SNAPSHOT_EVERY))).toMatchObject([{ sequence: 2 * SNAPSHOT_EVERY }]);
    expect(log.from).toEqual([SNAPSHOT_EVERY + 1]);
  });

  it('does not use a snapshot of another version', async () => {
    const { log, kept, folding, follow, post } = setUp();
    await follow(folding(), post(SNAPSHOT_EVERY));
    kept.put([{ ...kept.byStream.get(STREAM)!, version: 2, json: '{"other":true}' }]);
    log.from.length = 0;
    expect(await follow(folding(), post(SNAPSHOT_EVERY))).toMatchObject([{ sequence: 2 * SNAPSHOT_EVERY, version: 3 }]);
    expect(log.from).toEqual([1]);
  });

  it('yields the same after a batch had to be repeated', async () => {
    const { folding, follow, post } = setUp();
    const fold = folding();
    await follow(fold, post(SNAPSHOT_EVERY));
    const batch = post(SNAPSHOT_EVERY);
    await fold.prepare(batch);
    fold.fold(batch);
    fold.forget();
    expect(await follow(fold, batch)).toMatchObject([{ sequence: 2 * SNAPSHOT_EVERY }]);
  });

  it('pauses a stream whose state is too large to write', async () => {
    const { folding, follow, post } = setUp(countingFold('x'.repeat(2_000_000)));
    const fold = folding();
    expect(await follow(fold, post(SNAPSHOT_EVERY))).toEqual([]);
    expect(fold.prepare(post(SNAPSHOT_EVERY))).toBeUndefined();
    const later = post(SNAPSHOT_EVERY).map((event) => ({ ...event, time: event.time + 3_600_000 }));
    await expect(fold.prepare(later)).resolves.toBeUndefined();
  });

  it('reads a stream whose state stays too large ever more rarely', async () => {
    const { log, folding, follow, post } = setUp(countingFold('x'.repeat(2_000_000)));
    const fold = folding();
    for (let hour = 1; hour <= 32; hour += 1) {
      const batch = post(SNAPSHOT_EVERY).map((event) => ({ ...event, time: event.time + hour * 3_600_000 }));
      expect(await follow(fold, batch)).toEqual([]);
    }
    expect(log.from.filter((from) => from === 1)).toHaveLength(5);
  });
});
