/** How people stand to each other, kept in memory: the sending of every direct message asks. */
import type { LRUCache } from 'lru-cache';
import type { RelationshipType } from '../../../domain/relationship.ts';

type Relations = ReadonlyMap<string, RelationshipType>;

/** 0: they are nothing to each other, which is kept too. */
export type RelationCache = LRUCache<string, RelationshipType | 0>;

/** Of how one person stands to another. */
export const relationKey = (of: string, to: string): string => `${of}_${to}`;

/** @returns how the people stand to the user; `undefined` where somebody's relation is not kept */
export const keptRelations = (
  cache: RelationCache,
  userId: string,
  people: readonly string[],
): Relations | undefined => {
  const kept = new Map<string, RelationshipType>();
  for (const id of people) {
    const relation = cache.get(relationKey(id, userId));
    if (relation === undefined) return undefined;
    if (relation !== 0) kept.set(id, relation);
  }
  return kept;
};

/** @param found what the store says of these people */
export const keepRelations = (
  cache: RelationCache,
  userId: string,
  people: readonly string[],
  found: Relations,
): void => {
  for (const id of people) cache.set(relationKey(id, userId), found.get(id) ?? 0);
};
