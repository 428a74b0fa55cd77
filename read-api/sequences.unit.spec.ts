import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Story } from '../projections/testing.ts';
import type { MessageRow, PageQuery } from '../projections/views/timelines/view.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import { pageAfter, pageBefore, type SequenceDeps } from './sequences.ts';

/** A channel whose messages were posted by the events with these sequences, among `length` events. */
const channelWith = (posts: ReadonlyMap<number, bigint>, length: number) => {
  const asked = { events: 0, pages: 0 };
  const messages = [...posts].map(([sequence, id]) => ({ sequence, id }));
  const deps: SequenceDeps = {
    log: {
      readStream: async ({ from = 1, direction, limit }) => {
        const events: ParleyEvent[] = [];
        const step = direction === 'backwards' ? -1 : 1;
        const first = direction === 'backwards' ? Math.min(from, length) : from;
        for (let at = first; at >= 1 && at <= length && events.length < limit; at += step) {
          const id = posts.get(at);
          const type = id === undefined ? 'reaction-added' : 'message-posted';
          events.push({ sequence: at, type, data: { messageId: String(id) } } as unknown as ParleyEvent);
        }
        asked.events += events.length;
        return events;
      },
    },
    timelines: {
      page: async (_, query) => {
        asked.pages += 1;
        return shown(messages, query) as unknown as MessageRow[];
      },
    },
  };
  return { deps, asked, messages };
};

const shown = (messages: readonly { sequence: number; id: bigint }[], query: PageQuery) => {
  if ('before' in query)
    return messages
      .filter(({ id }) => id < BigInt(query.before))
      .slice(-query.limit)
      .reverse();
  if ('after' in query)
    return messages
      .filter(({ id }) => id > BigInt(query.after))
      .slice(0, query.limit)
      .reverse();
  return messages.slice(-query.limit).reverse();
};

const place = { channelId: '1', viewer: '2' };

describe('a page beside a sequence', () => {
  it('holds the messages before it or after it, wherever they are, and looks at few events', async () => {
    const gaps = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 900 })), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(
        gaps,
        fc.nat(1500),
        fc.nat(4000),
        fc.integer({ min: 1, max: 4 }),
        async (gaps, end, at, limit) => {
          const posts = new Map<number, bigint>();
          let sequence = 0;
          for (const [n, gap] of gaps.entries()) {
            sequence += gap;
            posts.set(sequence, 1_000_000_000_000_000_000n + BigInt(n * n * 4_194_304));
          }
          const { deps, asked, messages } = channelWith(posts, sequence + end);
          const before = shown(messages, await pageBefore(deps, { ...place, sequence: at }, limit));
          expect(before).toEqual(
            messages
              .filter((one) => one.sequence < Math.max(1, at))
              .slice(-limit)
              .reverse(),
          );
          const after = shown(messages, await pageAfter(deps, { ...place, sequence: at }, limit));
          expect(after).toEqual(
            messages
              .filter((one) => one.sequence > at)
              .slice(0, limit)
              .reverse(),
          );
          expect(asked.events).toBeLessThanOrEqual(600);
        },
      ),
    );
  });

  it('finds messages beyond events that are large', async () => {
    const story = new Story();
    const posted = story.post('1', '2');
    for (let n = 0; n < 150; n += 1) story.react('1', 1, String(100 + n), '😀'.repeat(16_384));
    const { deps } = channelWith(new Map([[posted.sequence, BigInt(posted.data.messageId)]]), 151);
    const page = await pageAfter({ ...deps, log: story.log }, { ...place, sequence: 140 }, 50);
    expect(page).toEqual({ after: posted.data.messageId, limit: 50 });
  });

  it('needs few questions even between 18,000 reactions on either side', async () => {
    const { deps, asked } = channelWith(
      new Map([
        [1, 7n],
        [40_000, 9n],
      ]),
      60_000,
    );
    expect(await pageBefore(deps, { ...place, sequence: 20_000 }, 50)).toEqual({ before: '8', limit: 50 });
    expect(asked.events).toBe(400);
    expect(asked.pages).toBeLessThanOrEqual(63);
  });
});
