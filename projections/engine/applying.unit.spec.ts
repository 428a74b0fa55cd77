import { describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import type { FailureKind } from '../../stores/guard.ts';
import { Story } from '../testing.ts';
import { BatchApplier, ViewsStopped } from './applying.ts';
import type { ViewStore } from './port.ts';

class Failure extends Error {
  readonly kind: FailureKind;
  constructor(kind: FailureKind) {
    super(kind);
    this.kind = kind;
  }
}

/** `failures` is asked before each commit for the failure to throw. */
class FakeStore implements ViewStore {
  checkpoint = 0;
  processesThrough = 0;
  deadLetters = 0;
  condemned = false;
  readonly commits: number[][] = [];
  private readonly failing: (events: readonly ParleyEvent[], attempt: number) => FailureKind | undefined;
  private attempts = 0;

  constructor(failing: (events: readonly ParleyEvent[], attempt: number) => FailureKind | undefined) {
    this.failing = failing;
  }
  async commit(events: readonly ParleyEvent[]) {
    this.attempts += 1;
    const kind = this.failing(events, this.attempts);
    if (kind !== undefined) throw new Failure(kind);
    this.commits.push(events.map(({ position }) => position));
  }
  async commitWithout(event: ParleyEvent, _: number, attempts: number) {
    this.deadLetters += 1;
    return [{ projection: 'x', stream: event.stream, position: event.position, error: '', attempts }];
  }
  async leaveOut() {
    this.deadLetters += 1;
    return [];
  }
  classify(failure: unknown) {
    return (failure as Failure).kind;
  }
  condemn() {
    this.condemned = true;
  }
  async close() {}
}

const threePosts = () => {
  const story = new Story();
  for (let n = 0; n < 3; n += 1) story.post('30', '10');
  return story.since(0);
};
const apply = (store: ViewStore, stopping = new AbortController().signal, onBug?: () => void) =>
  new BatchApplier({ store, processesThrough: () => 0, stopping, clock: systemClock, onBug }).apply(threePosts());

describe('applying a batch', () => {
  it('falls back to single events after a batch failed, so that one event does not hold up the others', async () => {
    const store = new FakeStore((events) => (events.some(({ position }) => position === 2) ? 'permanent' : undefined));
    await apply(store);
    expect(store.commits).toEqual([[1], [3]]);
    expect(store.deadLetters).toBe(1);
  });

  it('skips nothing because of a failure that passes', async () => {
    const store = new FakeStore((_, attempt) => (attempt <= 2 ? 'permanent' : undefined));
    await apply(store);
    expect(store.commits).toEqual([[1], [2], [3]]);
    expect(store.deadLetters).toBe(0);
  });

  it('waits for an unavailable store, however long', async () => {
    const store = new FakeStore((_, attempt) => (attempt <= 7 ? 'transient' : undefined));
    await apply(store);
    expect(store.commits).toEqual([[1], [2], [3]]);
    expect(store.deadLetters).toBe(0);
  });

  it('skips nothing because of a bug, and raises an alarm each time it meets it', async () => {
    const store = new FakeStore((_, attempt) => (attempt <= 7 ? 'bug' : undefined));
    let alarms = 0;
    await apply(store, undefined, () => {
      alarms += 1;
    });
    expect(store.commits).toEqual([[1], [2], [3]]);
    expect(store.deadLetters).toBe(0);
    expect(alarms).toBe(6);
  });

  it('ends and reports it when the store is damaged', async () => {
    const store = new FakeStore(() => 'damaged');
    await expect(apply(store)).rejects.toThrow(ViewsStopped);
    expect(store.condemned).toBe(true);
  });

  it('stops waiting when the views are stopped', async () => {
    const stopping = new AbortController();
    const store = new FakeStore((_, attempt) => {
      if (attempt === 3) stopping.abort();
      return 'transient';
    });
    await expect(apply(store, stopping.signal)).rejects.toThrow(ViewsStopped);
  });
});
