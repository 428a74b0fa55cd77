/** One trace shows a message's way from the sender's socket to the receiver's. */

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, Api, type Channel, joined, someName } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import { replayStream } from '../support/replay.ts';
import { type ReceivedSpan, SpanReceiver } from '../support/span-receiver.ts';

/** One or more servers that send their spans to the given address. */
export interface TracedPlace {
  /** Where the sender and the receiver are connected. */
  readonly sender: string;
  readonly receiver: string;
  close(): Promise<void>;
}

export interface TracedProfile {
  start(env: Readonly<Record<string, string>>): Promise<TracedPlace>;
  /** Steps behind the log, each with the view or the roles that distinguish it from others of its name. */
  readonly behind: readonly string[];
}

/** `project timelines`, `deliver gateway`: in a cluster a step is named by its view, or else by its process's roles. */
const stepOf = ({ name, attributes, resource }: ReceivedSpan): string =>
  `${name} ${attributes['parley.view'] ?? resource['parley.roles']}`;

const newCaller = () => {
  const trace = randomBytes(16).toString('hex');
  const span = randomBytes(8).toString('hex');
  return { trace, span, traceparent: `00-${trace}-${span}-01` };
};

export const tracingSuite = (profile: TracedProfile) =>
  describe('a message', () => {
    let spans: SpanReceiver;
    let place: TracedPlace;
    let owner: Account;
    let listener: Account;
    let guild: { id: string; channel: Channel };
    let sending: GatewayClient;
    let receiving: GatewayClient;

    beforeAll(async () => {
      spans = await SpanReceiver.start();
      place = await profile.start({ PARLEY_TRACING_URL: spans.url });
      const api = new Api(place.sender);
      owner = await api.register(someName('owner'));
      guild = await api.as(owner).createGuild('Traced');
      [listener] = (await joined(api.as(owner), guild, 'listener', 1)) as [Account];
      sending = await GatewayClient.identified(place.sender, owner.token);
      receiving = await GatewayClient.identified(place.receiver, listener.token);
    }, 120_000);

    afterAll(async () => {
      await sending?.cut();
      await receiving?.cut();
      await place?.close();
      await spans?.close();
    });

    const stored = async (content: string) => {
      const events = await replayStream(new Api(place.sender, owner), `channel-${guild.channel.id}`);
      const { d } = await receiving.dispatch('MESSAGE_CREATE', (message) => message.content === content);
      return events.find((event) => event.data.messageId === d.id)!;
    };

    const send = (content: string, traceparent?: unknown) =>
      sending.command({ type: 'message.send', channel_id: guild.channel.id, content, traceparent });

    /** Sends a message over HTTP. */
    const post = (content: string, traceparent: string) =>
      fetch(`${place.sender}/v1/channels/${guild.channel.id}/messages`, {
        method: 'POST',
        headers: { authorization: owner.authorization, 'content-type': 'application/json', traceparent },
        body: JSON.stringify({ content }),
      });

    /** Resolves when the trace has every step from the request to the receiver's socket. */
    const wholeTrace = async (traceId: string): Promise<readonly ReceivedSpan[]> => {
      const missing = () => {
        const done = spans.of(traceId).filter(({ failed }) => !failed);
        const steps = new Set(done.map(stepOf));
        const names = new Set(done.map(({ name }) => name));
        return [
          ...['request', 'decide', 'append'].filter((name) => !names.has(name)),
          ...profile.behind.filter((step) => !steps.has(step)),
        ];
      };
      await spans.until(() => missing().length === 0, `the whole of trace ${traceId}`);
      return spans.of(traceId);
    };

    const expectOneTrace = (trace: readonly ReceivedSpan[], request: ReceivedSpan, position: number) => {
      for (const span of trace) {
        if (span === request) continue;
        if (span.name === 'decide' || span.name === 'append') {
          expect(span).toMatchObject({ parent: request.spanId, links: [] });
        } else {
          expect(span).toMatchObject({ parent: undefined, links: [`${request.traceId}/${request.spanId}`] });
          expect(span.attributes['parley.position']).toBe(position);
        }
        expect(span.resource['service.name']).toBe('parley');
        // An attempt that failed is a span too: behind the log, a store that was away is tried again.
        if (span.failed) expect(profile.behind).toContain(stepOf(span));
      }
      const steps = trace.filter(({ failed }) => !failed).map(stepOf);
      expect(new Set(steps).size, `each step done once: ${steps}`).toBe(steps.length);
    };

    it('sent over a socket is one trace from request to deliver', async () => {
      const { ok } = await send('over a socket');
      expect(ok).toBe(true);
      const { traceparent, position } = await stored('over a socket');
      const [, traceId, spanId] = traceparent!.split('-');
      const trace = await wholeTrace(traceId!);
      const request = trace.find(({ name }) => name === 'request')!;
      expect(request).toMatchObject({ spanId, parent: undefined, links: [], kind: 2 });
      expect(request.attributes).toMatchObject({ 'parley.command': 'message.send', 'parley.user': owner.id });
      expectOneTrace(trace, request, position);
    });

    it('sent over a socket joins the trace that the client names', async () => {
      const caller = newCaller();
      await send('of a traced client', caller.traceparent);
      const trace = await wholeTrace(caller.trace);
      const request = trace.find(({ name }) => name === 'request')!;
      expect(request.parent).toBe(caller.span);
      const { traceparent, position } = await stored('of a traced client');
      expect(traceparent).toBe(`00-${caller.trace}-${request.spanId}-01`);
      expectOneTrace(trace, request, position);
    });

    it('sent over HTTP joins the trace that the client names', async () => {
      const caller = newCaller();
      expect((await post('over HTTP', caller.traceparent)).status).toBe(200);
      const trace = await wholeTrace(caller.trace);
      const request = trace.find(({ name }) => name === 'request')!;
      expect(request).toMatchObject({ parent: caller.span, kind: 2 });
      expect(request.attributes).toMatchObject({
        'http.request.method': 'POST',
        'http.route': '/v1/channels/:channel_id/messages',
        'http.response.status_code': 200,
        'parley.user': owner.id,
      });
      const { traceparent, position } = await stored('over HTTP');
      expect(traceparent).toBe(`00-${caller.trace}-${request.spanId}-01`);
      expectOneTrace(trace, request, position);
    });

    it('with a malformed traceparent starts a trace of its own', async () => {
      for (const [content, sent] of [
        ['malformed over HTTP', (text: string) => post(text, '00-nonsense-01')],
        ['malformed over a socket', (text: string) => send(text, { not: 'a string' })],
      ] as const) {
        await sent(content);
        const { traceparent } = await stored(content);
        const [, traceId, spanId] = /^00-([\da-f]{32})-([\da-f]{16})-01$/.exec(traceparent!)!;
        const trace = await wholeTrace(traceId!);
        expect(trace.find(({ name }) => name === 'request')).toMatchObject({ spanId, parent: undefined });
      }
    });

    it('with an unsampled traceparent is delivered without a span, and stores the traceparent', async () => {
      const [untraced, traced] = [newCaller(), newCaller()];
      await post('not traced', untraced.traceparent.replace(/1$/, '0'));
      await post('traced again', traced.traceparent);
      expect((await stored('not traced')).traceparent).toMatch(new RegExp(`^00-${untraced.trace}-[\\da-f]{16}-00$`));
      await wholeTrace(traced.trace);
      expect(spans.of(untraced.trace)).toEqual([]);
    });

    it('that is refused records why, and whose fault it is', async () => {
      const caller = newCaller();
      const { ok } = await send('', caller.traceparent);
      expect(ok).toBe(false);
      const request = () => spans.of(caller.trace).find(({ name }) => name === 'request');
      await spans.until(() => request() !== undefined, 'the request');
      expect(request()).toMatchObject({ failed: false, attributes: { 'parley.refused': 'emptyMessage' } });
    });

    it('shares its trace with everything a process does about its event', async () => {
      const caller = newCaller();
      await fetch(`${place.sender}/v1/guilds`, {
        method: 'POST',
        headers: {
          authorization: owner.authorization,
          'content-type': 'application/json',
          traceparent: caller.traceparent,
        },
        body: JSON.stringify({ name: 'Followed' }),
      });
      const appends = () => spans.of(caller.trace).filter(({ name }) => name === 'append');
      // The guild, its first channel, its owner's membership.
      await spans.until(() => appends().length === 3, 'three appends');
      const request = spans.of(caller.trace).find(({ name }) => name === 'request')!;
      const own = appends().filter(({ parent }) => parent === request.spanId);
      const following = appends().filter(({ parent }) => parent === undefined);
      expect(own).toHaveLength(1);
      expect(following).toHaveLength(2);
      for (const { links } of following) expect(links).toEqual([`${caller.trace}/${request.spanId}`]);
    });

    it('leaves no text, names or tokens in its spans', async () => {
      const caller = newCaller();
      await post('unspeakable', caller.traceparent);
      await wholeTrace(caller.trace);
      for (const secret of ['unspeakable', owner.username, listener.username, owner.token, listener.token, 'Traced'])
        expect(spans.sent).not.toContain(secret);
    });
  });
