import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../log/port.ts';
import { sealText } from '../../vault/sealing.ts';
import { type LineForm, type Lines, linesOf, type ReplayPage } from './lines.ts';
import { renderElsewhere } from './rendering.ts';

const key = createSecretKey(randomBytes(32));

const event = (n: number, content: string, over: Partial<StoredEvent> = {}): StoredEvent => {
  const place = { stream: 'channel-1', eventId: `event-${n}` };
  const sealed = sealText(key, { ...place, by: '1' }, JSON.stringify({ content, embeds: [] }));
  return {
    position: n,
    stream: place.stream,
    sequence: n,
    type: 'message-posted',
    schema: 1,
    time: 1_700_000_000_000 + n,
    id: place.eventId,
    actor: '1',
    key: null,
    correlationId: 'c',
    causationId: null,
    traceparent: null,
    data: JSON.stringify({ messageId: String(n), sealed, last: true }),
    ...over,
  };
};

const events = [
  event(1, 'one\ntwo "three" 👍 \u2028'),
  event(2, '', { key: 'line\nend "\u0000', correlationId: '', causationId: 'event-1', traceparent: '00-1' }),
  event(3, 'deleted'),
  event(4, 'moved', { stream: 'channel-2' }),
  event(5, '', { type: 'channel-created', data: '{"name":"x"}' }),
  event(6, '', {
    type: 'message-deleted',
    data: JSON.stringify({
      messageId: '3',
      reason: { sealed: sealText(key, { stream: 'channel-1', eventId: 'event-6', by: '1' }, '"spam"') },
    }),
  }),
];

const pageIn = (form: LineForm): ReplayPage => ({
  events,
  form,
  keys: new Map([['1', key]]),
  deleted: new Set(['3']),
});

const page = pageIn({ format: 'ndjson', ids: 'position' });

const textOf = (lines: Lines): string => Buffer.from(lines).toString();

describe('a page of many people', () => {
  it('has every text where it belongs, as if each event were a page of its own', () => {
    const people = new Map(['1', '2', '3', '4'].map((by) => [by, createSecretKey(randomBytes(32))]));
    const many = Array.from({ length: 60 }, (_, i) => {
      const [n, by] = [i + 1, String((i % 5) + 1)];
      const place = { stream: 'channel-1', eventId: `event-${n}` };
      // The key of person 5 is gone, and person 4 has said little.
      const sealedBy = by === '4' && i > 20 ? '1' : by;
      const sealed = sealText(people.get(sealedBy) ?? key, { ...place, by: sealedBy }, JSON.stringify(`text ${n}`));
      return event(n, '', { data: JSON.stringify({ messageId: String(n), sealed }) });
    });
    const all = { keys: people, deleted: new Set(['7', '11']) };
    const form = { format: 'ndjson', ids: 'position' } as const;
    const opened = (some: readonly StoredEvent[]) => textOf(linesOf({ ...all, events: some, form }));
    const together = opened(many);
    expect(together).toBe(many.map((one) => opened([one])).join(''));
    expect(together).toContain('"text":"text 59"');
    expect(together.split('"text":null')).toHaveLength(1 + 12);
  });
});

describe('a sealed text', () => {
  const openedOne = (over: Partial<StoredEvent>, keys: ReplayPage['keys'] = new Map([['1', key]])): string =>
    textOf(
      linesOf({
        events: [event(1, 'text', over)],
        form: { format: 'ndjson', ids: 'position' },
        keys,
        deleted: new Set(['1']),
      }),
    );

  it('is found where letters of several bytes come before it', () => {
    const place = { stream: 'channel-1', eventId: 'event-1' };
    const data = JSON.stringify({
      name: 'Zürich \u{1f44d} \u2028',
      sealed: sealText(key, { ...place, by: '1' }, '"à"'),
      topic: '\u{1f44d}',
      reason: { sealed: sealText(key, { ...place, by: '1' }, '"ü"') },
    });
    expect(openedOne({ data, key: 'ключ' })).toContain(
      '"key":"ключ","correlationId":"c","causationId":null,"traceparent":null,' +
        '"data":{"name":"Zürich \u{1f44d} \u2028","text":"à","topic":"\u{1f44d}","reason":{"text":"ü"}}}\n',
    );
  });
});

describe('rendering on another thread', () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-rendering-'));
  const worker = pathToFileURL(join(folder, 'worker.mjs'));

  beforeAll(async () => {
    const entryPoints = [fileURLToPath(new URL('./rendering-worker.ts', import.meta.url))];
    await build({ entryPoints, outfile: fileURLToPath(worker), bundle: true, platform: 'node', format: 'esm' });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('makes the same lines as rendering on this thread, page by page', async () => {
    const render = renderElsewhere(worker);
    const pages = [page, pageIn({ format: 'sse', ids: 'sequence' }), { ...page, keys: new Map() }];
    const lines = await Promise.all(pages.map(async (one) => textOf(await render(one))));
    expect(lines).toEqual(pages.map((one) => textOf(linesOf(one))));
    expect(
      lines[0]!
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).data.text?.content ?? null),
    ).toEqual(['one\ntwo "three" 👍 \u2028', '', '', null, null, null]);
    expect(lines[0]!).toContain('"data":{"messageId":"3","reason":{"text":"spam"}}');
  });

  it('reports a failure of the thread every time', async () => {
    const broken = join(folder, 'broken.mjs');
    writeFileSync(broken, 'throw new Error("no thread")');
    const render = renderElsewhere(pathToFileURL(broken));
    await expect(render(page)).rejects.toThrow('no thread');
    await expect(render(page)).rejects.toThrow('no thread');
  });

  it('falls back to this thread where no worker has been built, or a later build has removed it', async () => {
    const removed = join(folder, 'removed.mjs');
    writeFileSync(removed, 'throw new Error("of another build")');
    for (const render of [renderElsewhere(undefined), renderElsewhere(pathToFileURL(removed))]) {
      rmSync(removed, { force: true });
      expect(textOf(await render(page))).toBe(textOf(linesOf(page)));
    }
  });
});
