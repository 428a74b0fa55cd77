/**
 * Reactions as a map inside the message's row, from person and emoji to the sequence at which it was made: each entry has
 * its own timestamp, so that they converge one by one, and a page needs no further partition.
 */
import type { ReactionCount } from '../port.ts';

/** An emoji may hold anything, a person's id no space. */
export const reactionKey = (userId: string, emoji: string): string => `${userId} ${emoji}`;

interface Reaction {
  readonly userId: string;
  readonly emoji: string;
  readonly sequence: bigint;
}

/** Oldest first. */
const inOrder = (reactions: ReadonlyMap<string, bigint>): readonly Reaction[] => {
  const found: Reaction[] = [];
  for (const [key, sequence] of reactions) {
    const space = key.indexOf(' ');
    found.push({ userId: key.slice(0, space), emoji: key.slice(space + 1), sequence });
  }
  return found.sort((a, b) => (a.sequence < b.sequence ? -1 : 1));
};

/** In the order of the oldest reaction that is still there. */
export const countsOf = (reactions: ReadonlyMap<string, bigint>, viewer: string): readonly ReactionCount[] => {
  const counts = new Map<string, { emoji: string; count: number; me: boolean }>();
  for (const { emoji, userId } of inOrder(reactions)) {
    let entry = counts.get(emoji);
    if (entry === undefined) {
      entry = { emoji, count: 0, me: false };
      counts.set(emoji, entry);
    }
    entry.count += 1;
    if (userId === viewer) entry.me = true;
  }
  return [...counts.values()];
};

export const reactorsOf = (
  reactions: ReadonlyMap<string, bigint>,
  emoji: string,
  { after, limit }: { after?: string; limit: number },
): readonly string[] => {
  const start = after === undefined ? undefined : reactions.get(reactionKey(after, emoji));
  return inOrder(reactions)
    .filter((one) => one.emoji === emoji && (start === undefined || one.sequence > start))
    .slice(0, limit)
    .map((one) => one.userId);
};
