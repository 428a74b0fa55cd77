import { either } from 'fp-ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Appended, AppendRequest, EventLog } from '../log/port.ts';
import { newEvent } from '../log/testing.ts';
import { systemClock } from '../schemas/clock.ts';
import type { NewParleyEvent } from '../schemas/events/catalogue.ts';
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

describe('a traced log', () => {
  let ended: readonly KeptSpan[];
  let append: EventLog['append'];
  let answer: EventLog['append'];

  beforeEach(() => {
    answer = stores;
    const kept = keptSpans();
    ended = kept.ended;
    const log = { append: (request: AppendRequest) => answer(request) } as EventLog;
    append = meteredLog(log, createMetrics(), systemClock, kept.spans).append;
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
