/** How people stand to each other, kept in memory: the sending of every direct message asks. */
import type { LRUCache } from 'lru-cache';
import type { RelationshipType } from '../../../domain/relationship.ts';

type Standings = ReadonlyMap<string, RelationshipType>;

/** 0: they are nothing to each other, which is kept too. */
export type StandingCache = LRUCache<string, RelationshipType | 0>;

/** Of how one person stands to another. */
export const standingKey = (of: string, to: string): string => `${of}_${to}`;

/** @returns how the people stand to the user; `undefined` where somebody's standing is not kept */
export const keptStandings = (
  cache: StandingCache,
  userId: string,
  people: readonly string[],
): Standings | undefined => {
  const kept = new Map<string, RelationshipType>();
  for (const id of people) {
    const standing = cache.get(standingKey(id, userId));
    if (standing === undefined) return undefined;
    if (standing !== 0) kept.set(id, standing);
  }
  return kept;
};

/** @param found what the store says of these people */
export const keepStandings = (
  cache: StandingCache,
  userId: string,
  people: readonly string[],
  found: Standings,
): void => {
  for (const id of people) cache.set(standingKey(id, userId), found.get(id) ?? 0);
};
