import { describe, expect, it } from 'vitest';
import { FrameTree } from './frame-tree.ts';

const [a, b, c] = ['a', 'bb', 'ccc'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

describe('waiting frames', () => {
  it('are one Buffer for all sessions that wait for the same ones', () => {
    const root = FrameTree.root();
    const sessions = Array.from({ length: 1_000 }, () => root.next(a).next(b).next(c));
    expect(new Set(sessions.map((pending) => pending.bytes())).size).toBe(1);
    expect(sessions[0]!.bytes().toString()).toBe('abbccc');
  });

  it('are the frame itself while there is only one', () => {
    expect(FrameTree.root().next(a).bytes()).toBe(a);
  });

  it('stay separate for sessions with different ones, in whatever order they mix', () => {
    const root = FrameTree.root();
    const orders = [[a, b], [b, a], [a, c, b], [c], [b, a]];
    const texts = orders.map((order) => {
      let at = root;
      for (const frame of order) at = at.next(frame);
      return at.bytes().toString();
    });
    expect(texts).toEqual(['abb', 'bba', 'acccbb', 'ccc', 'bba']);
    expect(root.next(b).next(a).bytes()).toBe(root.next(b).next(a).bytes());
  });

  it('know their length before they are joined', () => {
    expect(FrameTree.root().next(a).next(c).length).toBe(4);
  });

  it('of a single session are not shared', () => {
    const root = FrameTree.root();
    const alone = root.next(a).alone(b);
    expect(alone.bytes().toString()).toBe('abb');
    expect(alone.bytes()).not.toBe(root.next(a).next(b).bytes());
  });
});
