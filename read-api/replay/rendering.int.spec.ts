import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../log/port.ts';
import { sealText } from '../../vault/sealing.ts';
import { type Lines, openedLines, type ReplayPage, sealedLines } from './lines.ts';
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

const page: ReplayPage = {
  lines: sealedLines(events, { format: 'ndjson', ids: 'position' }),
  keys: new Map([['1', key]]),
  deleted: new Set(['3']),
};

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
    const together = openedLines({ ...all, lines: sealedLines(many, form) });
    expect(together).toBe(many.map((one) => openedLines({ ...all, lines: sealedLines([one], form) })).join(''));
    expect(together).toContain('"text":"text 59"');
    expect(together.split('"text":null')).toHaveLength(1 + 12);
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
    const pages = [
      page,
      { ...page, lines: sealedLines(events, { format: 'sse', ids: 'sequence' }) },
      { ...page, keys: new Map() },
    ] as const;
    const lines = await Promise.all(pages.map(async (one) => textOf(await render(one))));
    expect(lines).toEqual(pages.map((one) => openedLines(one)));
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

  it('falls back to this thread where no worker has been built', async () => {
    expect(await renderElsewhere(pathToFileURL(join(folder, 'missing.mjs')))(page)).toBe(openedLines(page));
  });
});
