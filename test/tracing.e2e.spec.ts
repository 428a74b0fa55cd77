import { afterEach, describe, expect, it } from 'vitest';
import { tracingSuite } from './suites/tracing.ts';
import { someName } from './support/api.ts';
import { type EmbeddedInstance, startInstance } from './support/instance.ts';
import { metric } from './support/metrics.ts';
import { replayStream } from './support/replay.ts';
import { LIMITS_OFF } from './support/server.ts';
import { SpanReceiver } from './support/span-receiver.ts';

tracingSuite({
  start: async (env) => {
    const instance = await startInstance({ ...LIMITS_OFF, ...env });
    return { sender: instance.url, receiver: instance.url, close: () => instance.close() };
  },
  behind: ['project all', 'deliver embedded'],
});

describe('a server', () => {
  let instance: EmbeddedInstance | undefined;
  let spans: SpanReceiver | undefined;

  afterEach(async () => {
    await instance?.close();
    await spans?.close();
  });

  const started = async (env: Readonly<Record<string, string>>) => {
    instance = await startInstance({ ...LIMITS_OFF, PARLEY_DRAIN_MS: '0', ...env });
    const owner = instance.api.as(await instance.api.register(someName('owner')));
    return { instance, owner, channel: (await owner.createGuild('Traced')).channel };
  };

  it('without a receiver stores the traceparent of its client unchanged, and none for a malformed one', async () => {
    const { owner, channel } = await started({});
    const traced = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    for (const traceparent of [traced, 'nonsense']) {
      await fetch(`${owner.base}/v1/channels/${channel.id}/messages`, {
        method: 'POST',
        headers: { authorization: owner.account!.authorization, 'content-type': 'application/json', traceparent },
        body: JSON.stringify({ content: 'hello' }),
      });
    }
    const events = await replayStream(owner, `channel-${channel.id}`);
    expect(events.slice(-2).map(({ traceparent }) => traceparent)).toEqual([traced, null]);
  });

  it.each(['refuses', 'hangs'] as const)('whose receiver %s serves as usual, and stops in time', async (manner) => {
    spans = await SpanReceiver.start();
    spans.manner = manner;
    const { instance, owner, channel } = await started({ PARLEY_TRACING_URL: spans.url });
    await spans.until(() => spans!.requests > 0, 'the first spans');
    const before = spans.requests;
    const sent = await Promise.all(Array.from({ length: 50 }, (_, i) => owner.send(channel.id, `${i}`)));
    expect(sent).toHaveLength(50);
    if (manner === 'refuses') {
      await spans.until(() => spans!.requests > before, 'more spans');
      await expect.poll(() => metric(instance.server().url, 'parley_spans_dropped_total')).toBeGreaterThan(0);
    }
    const began = performance.now();
    expect(await instance.server().stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('sends its remaining spans when it stops', async () => {
    spans = await SpanReceiver.start();
    const { instance, owner, channel } = await started({ PARLEY_TRACING_URL: spans.url });
    await owner.send(channel.id, 'the last');
    const { traceparent } = (await replayStream(owner, `channel-${channel.id}`)).at(-1)!;
    expect(await instance.server().stop()).toBe(0);
    const trace = spans.of(traceparent!.split('-')[1]!);
    expect(trace.map(({ name }) => name).sort()).toEqual(['append', 'decide', 'deliver', 'project', 'request']);
  });
});
