import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { either } from 'fp-ts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LogReader, StoredEvent, StreamHead } from '../../log/port.ts';
import { Story } from '../../projections/testing.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { sealText } from '../../vault/sealing.ts';
import { ask, OWNER } from '../testing.ts';
import type { Lines } from './lines.ts';
import type { ReplayQuery } from './query.ts';
import { replayLines } from './replay.ts';
import { type ReplayRouteDeps, replayRoutes } from './routes.ts';

const START = Date.parse('2024-05-01T12:00:00.250Z');
const keys = new Map<string, KeyObject>(['1', '2'].map((id) => [id, createSecretKey(randomBytes(32))]));
const keyOfErased = createSecretKey(randomBytes(32));

/** A log of three streams in memory, with its events sealed under real keys, and a record of what was deleted. */
class World {
  readonly events: ParleyEvent[] = [];
  readonly deleted = new Set<string>();
  viewsThrough = Number.POSITIVE_INFINITY;
  listsAll = true;
  listedFromLog = false;
  private wake: (() => void)[] = [];

  add(stream: string, type: string, data: object, content?: string, author = '1'): void {
    const sequence = this.events.filter((event) => event.stream === stream).length + 1;
    const position = this.events.length + 1;
    const id = `event-${position}`;
    const key = author === 'erased' ? keyOfErased : keys.get(author)!;
    const sealed =
      content === undefined
        ? {}
        : { sealed: sealText(key, { stream, eventId: id, by: author }, JSON.stringify({ content, embeds: [] })) };
    this.events.push({
      position,
      stream,
      sequence,
      type,
      schema: 1,
      time: START + position * 1000,
      id,
      actor: author,
      key: 'key "1"',
      correlationId: 'c',
      causationId: null,
      traceparent: null,
      data: { ...data, author, ...sealed, last: true },
    } as unknown as ParleyEvent);
    for (const one of this.wake.splice(0)) one();
  }

  post(stream: string, messageId: string, content: string, author = '1'): void {
    this.add(stream, 'message-posted', { messageId, nonce: '"sealed":{"by":"9"}' }, content, author);
  }

  private heads({ prefix, after, limit }: { prefix: string; after: string; limit: number }): StreamHead[] {
    return [...new Set(this.events.map((event) => event.stream))]
      .filter((stream) => stream.startsWith(prefix) && stream > after)
      .sort()
      .slice(0, limit)
      .map((stream) => ({ stream, sequence: 1, position: 1 }));
  }

  private stored(): StoredEvent[] {
    return this.events.map((event) => ({ ...event, data: JSON.stringify(event.data) }));
  }

  get deps(): ReplayRouteDeps {
    const log: Partial<LogReader> = {
      head: async () => this.events.length,
      streamHead: async (stream) => {
        const own = this.events.filter((event) => event.stream === stream);
        return { stream, sequence: own.length, position: own.at(-1)?.position ?? 0 };
      },
      streams: async ({ prefix = '', after = '', limit }) => {
        this.listedFromLog = true;
        return this.heads({ prefix, after, limit });
      },
      readStream: async ({ stream, from = 1, limit }) =>
        this.events.filter((event) => event.stream === stream && event.sequence >= from).slice(0, limit),
      rawAll: async ({ after, types, prefix = '', limit }) => {
        const found = this.stored()
          .filter((event) => event.position > after && event.stream.startsWith(prefix))
          .filter((event) => types === undefined || (types as readonly string[]).includes(event.type))
          .slice(0, limit);
        return { events: found, through: found.length === limit ? found.at(-1)!.position : this.events.length };
      },
    };
    return {
      log: log as LogReader,
      views: {
        timelines: {
          deletedAmong: async (channelId, ids) => new Set(ids.filter((id) => this.deleted.has(`${channelId}/${id}`))),
        },
        whenProcessed: async (position) => {
          if (position > this.viewsThrough) return false;
          while (position > this.events.length) await new Promise<void>((wake) => this.wake.push(wake));
          return true;
        },
      },
      streams: {
        heads: { page: async (query) => this.heads(query), isComplete: async () => this.listsAll },
        progress: { whenProcessed: async (position) => position <= this.viewsThrough },
      },
      keys: { load: async () => {}, cached: (id) => keys.get(id) },
    };
  }
}

// biome-ignore lint/suspicious/noExplicitAny: specs look into lines and say what they expect
type Line = any;
const parse = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

describe('replay', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
    world.add('channel-5', 'channel-created', { channelId: '5' });
    world.post('channel-5', '100', 'hello "you" \u2028\u0000 👍');
    world.post('channel-6', '100', 'elsewhere');
    world.post('channel-5', '101', 'gone', 'erased');
    world.post('channel-5', '102', 'deleted', '2');
    world.deleted.add('5/102');
    world.add('user-2', 'user-registered', { userId: '2' }, 'profile', '2');
  });

  const replayed = async (query: Partial<ReplayQuery> & object): Promise<string> => {
    let text = '';
    for await (const page of replayLines(world.deps, { format: 'ndjson', ...query } as ReplayQuery)) text += page;
    return text;
  };

  const fetchText = async (url: string, headers: Record<string, string> = {}): Promise<string> => {
    const answer = await ask(replayRoutes(world.deps), url, OWNER, headers);
    if (either.isLeft(answer)) return `${answer.left.status} ${answer.left.code}`;
    let text = '';
    for await (const page of answer.right.stream!) text += page;
    return text;
  };
  const positions = async (url: string) => parse(await fetchText(url)).map((line) => line.position);

  it('writes each event as one line with all its fields, its time in ISO 8601 and its text opened', async () => {
    const [, posted] = parse(await replayed({ after: 0 }));
    expect(posted).toEqual({
      position: 2,
      stream: 'channel-5',
      sequence: 2,
      type: 'message-posted',
      schema: 1,
      time: '2024-05-01T12:00:02.250Z',
      id: 'event-2',
      actor: '1',
      key: 'key "1"',
      correlationId: 'c',
      causationId: null,
      traceparent: null,
      data: {
        messageId: '100',
        nonce: '"sealed":{"by":"9"}',
        author: '1',
        text: { content: 'hello "you" \u2028\u0000 👍', embeds: [] },
        last: true,
      },
    });
  });

  it('says null where the key is gone, opens nothing that was deleted, and never outputs sealed text', async () => {
    const text = await replayed({ after: 0 });
    const [, , , erased, deleted, registered] = parse(text);
    expect(erased.data.text).toBeNull();
    expect(deleted.data.text).toEqual({ content: '', embeds: [] });
    expect(registered.data.text).toMatchObject({ content: 'profile' });
    expect(text).not.toContain('"box"');
  });

  it('says null where the text was sealed for another place', async () => {
    const [moved] = world.events.splice(1, 1);
    world.events.splice(1, 0, { ...moved!, stream: 'channel-6' } as ParleyEvent);
    expect(parse(await replayed({ after: 1 }))[0].data.text).toBeNull();
  });

  it('gives every event, however large they are', async () => {
    const story = new Story();
    for (let n = 0; n < 150; n += 1) story.post(n % 3 === 0 ? '6' : '5', '2', { nonce: '😀'.repeat(16_384) });
    const { views } = world.deps;
    const deps = { ...world.deps, log: story.log, views: { ...views, whenProcessed: async () => true } };
    const linesOf = async (query: ReplayQuery) => {
      const lines: Line[] = [];
      for await (const page of replayLines(deps, query)) lines.push(...parse(String(page)));
      return lines;
    };
    const all = await linesOf({ format: 'ndjson', after: 0 });
    expect(all.map(({ position }) => position)).toEqual(story.log.all.map(({ position }) => position));
    const ofStream = await linesOf({ format: 'ndjson', stream: 'channel-5' });
    expect(ofStream.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  it('reads one stream by sequence', async () => {
    const sequences = async (query: object) =>
      parse(await replayed({ stream: 'channel-5', ...query })).map((line) => line.sequence);
    expect(await sequences({})).toEqual([1, 2, 3, 4]);
    expect(await sequences({ from: 2, to: 3 })).toEqual([2, 3]);
    expect(await sequences({ types: ['channel-created'] })).toEqual([1]);
    expect(await sequences({ until: START + 4000 })).toEqual([1, 2, 3]);
    expect(await sequences({ from: 9 })).toEqual([]);
  });

  it('reads more than one page, in order', async () => {
    for (let n = 0; n < 1100; n += 1) world.post('channel-7', String(200 + n), `message ${n}`);
    for (const query of [{ after: 0, prefix: 'channel-7' }, { stream: 'channel-7' }]) {
      const lines = parse(await replayed(query));
      expect(lines.map((line) => line.data.text.content)).toEqual(
        Array.from({ length: 1100 }, (_, n) => `message ${n}`),
      );
    }
    expect(parse(await replayed({ after: 3, to: 600 })).map((line) => line.position)).toEqual(
      Array.from({ length: 597 }, (_, i) => i + 4),
    );
  });

  it('answers over HTTP by position, type, prefix and time', async () => {
    expect(await positions('/events')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await positions('/events?after=4')).toEqual([5, 6]);
    expect(await positions('/events?after=1&to=3')).toEqual([2, 3]);
    expect(await positions('/events?types=channel-created,user-registered')).toEqual([1, 6]);
    expect(await positions('/events?prefix=channel-6')).toEqual([3]);
    expect(await positions('/events?until=2024-05-01T12:00:02.250Z')).toEqual([1, 2]);
    expect(await positions('/streams/channel-5/events?from=2&to=2')).toEqual([2]);
    await expect(fetchText('/events?types=nonsense')).rejects.toThrow('event types');
    await expect(fetchText('/events?until=yesterday')).rejects.toThrow('ISO');
  });

  it('continues after Last-Event-ID, in both forms', async () => {
    expect(parse(await fetchText('/events', { 'last-event-id': '5' })).map((line) => line.position)).toEqual([6]);
    const sse = await fetchText('/streams/channel-5/events', { 'last-event-id': '3', accept: 'text/event-stream' });
    expect(sse).toMatch(/^id: 4\nevent: message-posted\ndata: \{.*\}\n\n$/);
    expect(await fetchText('/events', { 'last-event-id': 'x' })).toBe('400 50035');
  });

  it('follows the log on request', async () => {
    const follower = replayLines(world.deps, { after: 5, follow: true, format: 'ndjson' });
    const nextLines = async () => {
      for (;;) {
        const { value } = await follower.next();
        if (value !== undefined && value.length > 0) return parse(Buffer.from(value as Lines).toString());
      }
    };
    expect((await nextLines())[0].position).toBe(6);
    const next = nextLines();
    world.post('channel-5', '103', 'live');
    expect((await next)[0].data.text.content).toBe('live');
    await follower.return(undefined);
  });

  it('lists streams and their heads', async () => {
    const streams = async (query: string) => parse(await fetchText(`/streams${query}`)).map((line) => line.stream);
    expect(await streams('')).toEqual(['channel-5', 'channel-6', 'user-2']);
    expect(await streams('?prefix=channel-&after=channel-5')).toEqual(['channel-6']);
    expect(await streams('?limit=1')).toEqual(['channel-5']);
  });

  it('lists streams without reading the log, which may hold as many events as it likes', async () => {
    await fetchText('/streams');
    expect(world.listedFromLog).toBe(false);
    world.viewsThrough = 3;
    expect(await fetchText('/streams')).toBe('503 0');
  });

  it('lists streams from the log where the view was added to tables in use', async () => {
    world.listsAll = false;
    world.viewsThrough = 3;
    expect(parse(await fetchText('/streams'))).toHaveLength(3);
    expect(world.listedFromLog).toBe(true);
  });

  it('answers that an unknown stream does not exist', async () => {
    expect(await fetchText('/streams/channel-999/events')).toBe('404 0');
    expect(await fetchText('/streams/channel-999/state')).toBe('404 0');
  });

  it('waits for the views, which know the deletions, and answers 503 when that takes too long', async () => {
    world.viewsThrough = 3;
    expect(await fetchText('/events')).toBe('503 0');
    await expect(replayed({ after: 0 })).rejects.toThrow('views');
  });

  it('is for administrators', () => {
    expect(replayRoutes(world.deps).map((one) => one.access)).toEqual(Array(4).fill('administrator'));
  });
});
