/** An OTLP receiver over HTTP, like Jaeger and collectors. It keeps every span it receives. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Watched } from './watched.ts';

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** `undefined` when it has no parent. */
  readonly parent: string | undefined;
  /** Ids of linked spans, each as `<trace>/<span>`. */
  readonly links: readonly string[];
  readonly attributes: Attributes;
  /** Attributes of the process that sent it. */
  readonly resource: Attributes;
  /** OTLP's numbers: 1 internal, 2 server. */
  readonly kind: number;
  readonly failed: boolean;
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: { stringValue?: string; intValue?: number; boolValue?: boolean };
}

interface OtlpSpan extends Pick<ReceivedSpan, 'name' | 'traceId' | 'spanId' | 'kind'> {
  readonly parentSpanId?: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code?: number };
}

interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const plain = (attributes: readonly OtlpAttribute[]): Attributes =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [key, (value.stringValue ?? value.intValue ?? value.boolValue)!]),
  );

const spansIn = (body: OtlpBody): ReceivedSpan[] =>
  body.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, traceId, spanId, parentSpanId, kind, links = [], attributes, status }) => ({
        ...{ name, traceId, spanId, kind },
        parent: parentSpanId,
        links: links.map((link) => `${link.traceId}/${link.spanId}`),
        attributes: plain(attributes),
        resource: plain(resource.attributes),
        failed: status.code === 2,
      })),
    ),
  );

export class SpanReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Every body it received, unchanged. */
  sent = '';
  /** What it does with a request: answers 200, answers 400, begins an answer without end, or never answers. */
  manner: 'takes' | 'refuses' | 'trickles' | 'hangs' = 'takes';
  requests = 0;
  readonly #watched = new Watched();
  readonly #server = createServer(async (request, response) => {
    const body = await text(request);
    this.requests += 1;
    if (this.manner === 'takes') {
      this.sent += body;
      this.spans.push(...spansIn(JSON.parse(body)));
      response.end('{}');
    } else if (this.manner === 'refuses') response.writeHead(400).end();
    else if (this.manner === 'trickles') response.writeHead(200).write(' ');
    this.#watched.changed();
  });

  static async start(): Promise<SpanReceiver> {
    const receiver = new SpanReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  /** The URL to send spans to. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  of(traceId: string): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** @throws when the condition does not hold within 15 s */
  until(holds: () => boolean, what: string): Promise<void> {
    const seen = () => this.spans.slice(-20).map(({ name, traceId }) => `${name} ${traceId.slice(0, 4)}`);
    return this.#watched.until(holds, () => `${what}; last spans: ${seen().join(', ')}`);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
