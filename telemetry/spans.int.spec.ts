import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestClock } from '../schemas/clock.testing.ts';
import { type Clock, systemClock } from '../schemas/clock.ts';
import { SpanReceiver } from '../test/support/span-receiver.ts';
import { openSpans, type Spans } from './spans.ts';

const CALLER = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const TRACED = `00-${CALLER.trace}-${CALLER.span}-01`;
const UNTRACED = `00-${CALLER.trace}-${CALLER.span}-00`;

let receiver: SpanReceiver;
let spans: Spans;
let open: Spans | undefined;
let dropped: Record<'queue' | 'receiver', number>;

const begin = async (ratio: number, clock: Clock = systemClock) => {
  // What a former test left unsent may be dropped seconds later.
  const own = dropped;
  open = await openSpans({
    ...{ url: receiver.url, ratio, roles: 'embedded', clock },
    onDropped: (count, reason) => {
      own[reason] += count;
    },
  });
  spans = open;
};

beforeEach(async () => {
  receiver = await SpanReceiver.start();
  dropped = { queue: 0, receiver: 0 };
  await begin(1);
});
const close = async () => {
  await open?.close();
  open = undefined;
};
afterEach(async () => {
  await close();
  await receiver.close();
});

describe('a request', () => {
  it('begins a trace if the caller names none', async () => {
    const { traceparent } = spans.request(undefined, {});
    expect(traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
  });

  it('joins the trace of its caller, as a child of the caller’s span', async () => {
    const span = spans.request(TRACED, { 'parley.command': 'message.send' });
    span.end({ 'http.response.status_code': 200 });
    await close();
    const [received] = receiver.spans;
    expect(received).toMatchObject({
      ...{ name: 'request', traceId: CALLER.trace, parent: CALLER.span, kind: 2, failed: false },
      attributes: { 'parley.command': 'message.send', 'http.response.status_code': 200 },
    });
    expect(received!.resource).toMatchObject({ 'service.name': 'parley', 'parley.roles': 'embedded' });
    expect(span.traceparent).toBe(`00-${CALLER.trace}-${received!.spanId}-01`);
  });

  it.each([
    'nonsense',
    '',
    `${TRACED}-more`,
    `ff-${CALLER.trace}-${CALLER.span}-01`,
    `00-${'0'.repeat(32)}-${CALLER.span}-01`,
    `00-${CALLER.trace}-${'0'.repeat(16)}-01`,
    TRACED.toUpperCase(),
    ['a', 'b'],
    null,
    7,
  ])('does as if a malformed caller were none: %j', (caller) => {
    const { traceparent } = spans.request(caller, {});
    expect(traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
    expect(traceparent).not.toContain(CALLER.trace);
  });

  it('is not traced if the caller says so, and passes that on', async () => {
    const span = spans.request(UNTRACED, {});
    expect(span.traceparent).toMatch(new RegExp(`^00-${CALLER.trace}-(?!${CALLER.span})[\\da-f]{16}-00$`));
    expect(spans.step('decide', { traceparent: span.traceparent, causationId: null }, {})).toBeUndefined();
    await spans.behind('project', [{ traceparent: span.traceparent, position: 1 }], {}, async () => {});
    span.end();
    await close();
    expect(receiver.spans).toEqual([]);
  });

  it('is traced at a ratio of 0 only if the caller asks for it', async () => {
    await close();
    await begin(0);
    for (let i = 0; i < 100; i += 1) spans.request(undefined, {}).end();
    spans.request(TRACED, {}).end();
    await close();
    expect(receiver.spans.map(({ traceId }) => traceId)).toEqual([CALLER.trace]);
  });
});

describe('a step', () => {
  it('before the log is a child span of the request', async () => {
    spans.step('decide', { traceparent: TRACED, causationId: null }, {})!.end({}, true);
    await close();
    expect(receiver.spans[0]).toMatchObject({ name: 'decide', traceId: CALLER.trace, parent: CALLER.span, links: [] });
    expect(receiver.spans[0]!.failed).toBe(true);
  });

  it('of a process follows the request that stored its cause', async () => {
    spans.step('decide', { traceparent: TRACED, causationId: 'an event' }, {})!.end();
    await close();
    expect(receiver.spans[0]).toMatchObject({ traceId: CALLER.trace, links: [`${CALLER.trace}/${CALLER.span}`] });
    expect(receiver.spans[0]!.parent).toBeUndefined();
  });

  it('after the log follows the request of each traced event, in its trace', async () => {
    const other = spans.request(undefined, {}).traceparent;
    const events = [
      { traceparent: null, position: 1 },
      { traceparent: TRACED, position: 2 },
      { traceparent: UNTRACED, position: 3 },
      { traceparent: 'nonsense', position: 4 },
      { traceparent: other, position: 5 },
    ];
    expect(await spans.behind('project', events, { 'parley.view': 'timelines' }, async () => 'done')).toBe('done');
    await close();
    const [, trace, span] = other.split('-');
    expect(receiver.spans).toMatchObject([
      { traceId: CALLER.trace, links: [`${CALLER.trace}/${CALLER.span}`], attributes: { 'parley.position': 2 } },
      { traceId: trace, links: [`${trace}/${span}`], attributes: { 'parley.position': 5 } },
    ]);
    for (const one of receiver.spans) {
      expect(one.parent).toBeUndefined();
      expect(one.attributes).toMatchObject({ 'parley.view': 'timelines', 'parley.batch': 5 });
    }
  });

  it('that fails is marked, and its failure is passed on', async () => {
    const failing = spans.behind('relay', [{ traceparent: TRACED, position: 1 }], {}, async () => {
      throw new Error('gone');
    });
    await expect(failing).rejects.toThrow('gone');
    await close();
    expect(receiver.spans.map(({ name, failed }) => ({ name, failed }))).toEqual([{ name: 'relay', failed: true }]);
  });
});

describe('a receiver', () => {
  it.each(['is gone', 'hangs'])('that %s delays the shutdown by two seconds at most', async (trouble) => {
    if (trouble === 'hangs') receiver.manner = 'hangs';
    else await receiver.close();
    spans.request(undefined, {}).end();
    const began = performance.now();
    await close();
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('that refuses spans costs nothing else, and the spans are counted', async () => {
    receiver.manner = 'refuses';
    for (let i = 0; i < 10; i += 1) spans.request(undefined, {}).end();
    await close();
    expect(dropped).toEqual({ queue: 0, receiver: 10 });
  });

  it('that never ends its answer loses the batch, which is counted', async () => {
    await close();
    const clock = new TestClock();
    await begin(1, clock);
    receiver.manner = 'trickles';
    for (let i = 0; i < 512; i += 1) spans.request(undefined, {}).end();
    await receiver.until(() => receiver.requests === 1, 'the batch');
    await clock.advance(4999);
    expect(dropped).toEqual({ queue: 0, receiver: 0 });
    await clock.advance(1);
    expect(dropped).toEqual({ queue: 0, receiver: 512 });
    await receiver.close();
  });

  it('that hangs leaves 4,096 spans queued, and the rest are dropped and counted', async () => {
    receiver.manner = 'hangs';
    for (let i = 0; i < 512; i += 1) spans.request(undefined, {}).end();
    await receiver.until(() => receiver.requests === 1, 'the first batch');
    for (let i = 0; i < 5000; i += 1) spans.request(undefined, {}).end();
    expect(dropped).toEqual({ queue: 5000 - 4096, receiver: 0 });
  });
});
