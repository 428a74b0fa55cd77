/** Events of `relationship-<low>_<high>`: whether two people are friends, and whether one blocks the other. */
import * as t from 'io-ts';
import { userAudience } from '../streams.ts';
import { defineEvent, NO_INTENTS, unaudited } from './definition.ts';

/** All there is between the two. */
export const Bond = t.type({
  friends: t.boolean,
  /** Who asked to be friends and has no answer yet. */
  requestedBy: t.union([t.string, t.null]),
  /** Who blocks the other: nobody, one or both. */
  blockedBy: t.array(t.string),
});
export type Bond = t.TypeOf<typeof Bond>;

export const NO_BOND: Bond = { friends: false, requestedBy: null, blockedBy: [] };

/** Each event holds the whole of it, before and after, so that each person is told what changes for them. */
const RelationshipChanged = defineEvent({
  codec: t.type({ by: t.string, people: t.array(t.string), former: Bond, bond: Bond }),
  former: [],
  audiences: ({ data }) => data.people.map(userAudience),
  indexedFor: ({ data }) => data.people.map(userAudience),
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: false,
  standsAlone: true,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: false,
  frequent: false,
  auditedIn: unaudited,
  seals: null,
  takesReason: false,
});

/** By their stored names. */
export const relationshipEvents = {
  'relationship-changed': RelationshipChanged,
} as const;
