import { describe, expect, it } from 'vitest';
import { Story } from '../projections/testing.ts';
import { Ring } from './ring.ts';

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
});
