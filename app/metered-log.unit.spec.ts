import { either } from 'fp-ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Appended, AppendRequest, EventLog } from '../log/port.ts';
import { newEvent } from '../log/testing.ts';
import { silent } from '../projections/distribution/testing.ts';
import { systemClock } from '../schemas/clock.ts';
import { type NewParleyEvent, UnreadableEvent } from '../schemas/events/catalogue.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { type KeptSpan, keptSpans } from '../telemetry/testing.ts';
import { meteredLog } from './metered-log.ts';

/** Events of one batch, one for each causing request. */
const batchOf = (...requests: (string | null)[]): AppendRequest => ({
  stream: 'channel-1',
  expected: 0,
  events: requests.map((traceparent, i) => ({ ...newEvent('channel-1', i + 1), traceparent }) as NewParleyEvent),
});

const stores: EventLog['append'] = async ({ events }) =>
  either.right(events.map((event, i) => ({ ...event, position: 101 + i })) as unknown as Appended);

describe('a metered log', () => {
  it('reports and counts each event that cannot be read once, whoever meets it', async () => {
    const failure = new UnreadableEvent({ stream: 'channel-1', sequence: 7, position: 9 }, 'of a newer Parley');
    const log = {
      readAll: async () => Promise.reject(failure),
      readStream: async () => Promise.reject(failure),
      tail: (_after, _onEvents, onFailure) => {
        onFailure(failure);
        return { stop: async () => {} };
      },
    } as Partial<EventLog> as EventLog;
    const metrics = createMetrics();
    const lines: object[] = [];
    const logger = { ...silent, error: (fields: object) => void lines.push(fields) };
    const metered = meteredLog(log, metrics, logger, systemClock);
    await expect(metered.readAll({ after: 0, limit: 1 })).rejects.toBe(failure);
    await expect(metered.readStream({ stream: 'channel-1', limit: 1 })).rejects.toBe(failure);
    const told: unknown[] = [];
    metered.tail(
      0,
      async () => {},
      (error) => told.push(error),
    );
    expect(told).toEqual([failure]);
    expect(lines).toEqual([{ err: failure, stream: 'channel-1', sequence: 7, position: 9 }]);
    expect((await metrics.unreadableEvents.get()).values[0]!.value).toBe(1);
  });
});

describe('an append that the log refuses', () => {
  it('is told to an operator with stream and reason, one of many in ten seconds, and the others are counted', async () => {
    let now = 0;
    const lines: object[] = [];
    const logger = { ...silent, error: (fields: object) => void lines.push(fields) };
    let answer: EventLog['append'] = async ({ stream }) =>
      either.left({ kind: 'refused', reason: `${stream} is gone` });
    const log = { append: (request: AppendRequest) => answer(request) } as EventLog;
    const metered = meteredLog(log, createMetrics(), logger, { ...systemClock, monotonic: () => now });
    for (let n = 0; n < 3; n += 1) await metered.append(batchOf(null));
    now += 10_000;
    await metered.append(batchOf(null));
    answer = async () => either.left({ kind: 'unavailable', reason: 'told by whoever watches the server' });
    now += 10_000;
    await metered.append(batchOf(null));
    const line = { stream: 'channel-1', reason: 'channel-1 is gone' };
    expect(lines).toEqual([
      { ...line, untold: 0 },
      { ...line, untold: 2 },
    ]);
  });
});

describe('a traced log', () => {
  let ended: readonly KeptSpan[];
  let append: EventLog['append'];
  let answer: EventLog['append'];

  beforeEach(() => {
    answer = stores;
    const kept = keptSpans();
    ended = kept.ended;
    const log = { append: (request: AppendRequest) => answer(request) } as EventLog;
    append = meteredLog(log, createMetrics(), silent, systemClock, kept.spans).append;
  });

  it('has an append span for each request in the batch, with the position of its first event', async () => {
    const outcome = await append(batchOf('one', null, 'other', 'one'));
    expect(either.isRight(outcome)).toBe(true);
    const about = { 'parley.stream': 'channel-1', 'parley.batch': 4 };
    expect(ended).toEqual([
      { name: 'append', of: 'one', attributes: { ...about, 'parley.position': 101 }, failed: false },
      { name: 'append', of: 'other', attributes: { ...about, 'parley.position': 103 }, failed: false },
    ]);
  });

  it('does not mark the span of a conflicting append as an error', async () => {
    answer = async () => either.left({ kind: 'conflict', actual: 7 });
    await append(batchOf('one'));
    expect(ended).toMatchObject([{ attributes: { 'parley.refused': 'conflict' }, failed: false }]);
  });

  it('marks a failed append, also one that throws', async () => {
    answer = async () => either.left({ kind: 'full' });
    await append(batchOf('one'));
    answer = async () => Promise.reject(new Error('the disk is gone'));
    await expect(append(batchOf('other'))).rejects.toThrow('the disk is gone');
    expect(ended.map(({ of, failed }) => ({ of, failed }))).toEqual([
      { of: 'one', failed: true },
      { of: 'other', failed: true },
    ]);
  });
});
