import { describe, expect, it } from 'vitest';
import type { EventRenderer } from '../presenter/dispatches.ts';
import { messageId, Story } from '../projections/testing.ts';
import { type EncodedDispatch, framesOf } from './encoding.ts';
import { Ring } from './ring.ts';
import type { Session } from './session.ts';

const positions = (ring: Ring, after: number) => ring.since(after)?.map((entry) => entry.event.position);

describe('the ring of recent events', () => {
  it('returns everything after a position', () => {
    const story = new Story();
    const ring = new Ring(1_000_000, 0);
    for (let i = 0; i < 5; i += 1) ring.push(story.post('5', '1'));
    expect([0, 3, 5, 9].map((after) => positions(ring, after))).toEqual([[1, 2, 3, 4, 5], [4, 5], [], []]);
  });

  it('says when it does not reach back far enough, and never returns a part', () => {
    const story = new Story();
    for (let i = 0; i < 3; i += 1) story.post('5', '1');
    const ring = new Ring(1_000_000, 3);
    ring.push(story.post('5', '1'));
    expect([2, 3].map((after) => positions(ring, after))).toEqual([undefined, [4]]);
  });

  it('stays within its byte budget', () => {
    const story = new Story();
    const ring = new Ring(100_000, 0);
    for (let i = 0; i < 1_000; i += 1) ring.push(story.post('5', '1'));
    expect(positions(ring, 0)).toBeUndefined();
    const oldest = Array.from({ length: 1_000 }, (_, i) => i).find((after) => ring.since(after) !== undefined)!;
    expect(positions(ring, oldest)).toEqual(Array.from({ length: 1_000 - oldest }, (_, i) => oldest + 1 + i));
    expect(1_000 - oldest).toBeGreaterThan(40);
    expect(1_000 - oldest).toBeLessThan(70);
  });

  describe('counts the bytes of what it renders', () => {
    const TEXT = 'x'.repeat(2_000);
    /** Two dispatches, as for an event about a pin: the first shows a whole message. */
    const renderer = {
      render: async () =>
        [0, 1].map(() => ({
          ...{ name: 'MESSAGE_UPDATE', data: { content: TEXT, author: { id: '1' }, mentions: [], embeds: [] } },
          ...{ intents: 0, carriesText: true, shows: ['1'], visibleTo: null },
        })),
    } as unknown as EventRenderer;
    const session = (readsContent: boolean) => ({ intents: 0, userId: '9', readsContent }) as Session;

    const kept = (ring: Ring, pushed: number) =>
      pushed - Array.from({ length: pushed }, (_, i) => i).find((after) => ring.since(after) !== undefined)!;
    const filled = async (deliver: (dispatches: readonly EncodedDispatch[]) => void) => {
      const story = new Story();
      const ring = new Ring(100_000, 0);
      for (let i = 0; i < 100; i += 1) {
        const entry = ring.push(story.pin('5', 1, '1', i));
        deliver(await entry.dispatches(renderer, '10'));
        await null;
      }
      return kept(ring, 100);
    };

    it('whole messages in events that carry none', async () => {
      const whole = await filled(() => {});
      // 4,000 bytes of text for each.
      expect(whole).toBeLessThan(25);
      expect(whole).toBeGreaterThan(12);
    });

    it('frames without text for bots', async () => {
      const withVeiled = await filled((dispatches) => framesOf(dispatches, session(false), 0));
      expect(withVeiled).toBeLessThan(await filled(() => {}));
    });

    it('one frame for former positions, however many sessions there are', async () => {
      const each = (sessions: number) =>
        filled((dispatches) => {
          for (let s = 0; s < sessions; s += 1) framesOf(dispatches, session(true), s);
        });
      expect(await each(100)).toBe(await each(1));
    });
  });

  it.each([
    ['alone', (story: Story) => story.remove('5', 1, '1')],
    ['with others', (story: Story) => story.removeAll('5', [1], '1')],
  ])('renders again what shows a message that was deleted %s, and nothing else', async (_, remove) => {
    const story = new Story();
    const ring = new Ring(1_000_000, 0);
    const [post, reply] = [story.post('5', '1'), story.post('5', '1')];
    const rendered: (readonly [number, readonly string[]])[] = [];
    const renderer = {
      render: async (
        { position, data }: { position: number; data: { messageId: string } },
        _: null,
        gone: Set<string>,
      ) => {
        rendered.push([position, [...gone]]);
        const shows = position === reply.position ? [data.messageId, messageId('5', 1)] : [data.messageId];
        return [{ name: 'X', data: {}, intents: 0, carriesText: false, shows, visibleTo: null }];
      },
    } as unknown as EventRenderer;
    const entries = [post, story.pin('5', 1, '1', 1), reply, story.post('5', '1')].map((event) => ring.push(event));
    const renderAll = async () => {
      rendered.length = 0;
      for (const entry of entries) await entry.dispatches(renderer, null);
      return rendered;
    };
    expect(await renderAll()).toHaveLength(4);
    expect(await renderAll()).toEqual([]);
    ring.push(remove(story));
    const gone = [messageId('5', 1)];
    expect(await renderAll()).toEqual([
      [1, gone],
      [3, gone],
      [2, gone],
    ]);
  });
});
