/** What two people are to each other. Stream `relationship-<low>_<high>`. */
import { type Bond, NO_BOND } from '../schemas/events/relationship.ts';
import { type Decision, type Fold, happen, nothing, refuse, type StreamState } from './decider.ts';
import { RecentKeys, storedWithKeys } from './recent-keys.ts';

/** How one person stands to another, by Discord's numbers. */
export const RelationshipType = { friend: 1, blocked: 2, incomingRequest: 3, outgoingRequest: 4 } as const;
export type RelationshipType = (typeof RelationshipType)[keyof typeof RelationshipType];

/** @returns undefined: they are nothing to each other, as far as this person is told */
export const relationOf = (userId: string, { friends, requestedBy, blockedBy }: Bond): RelationshipType | undefined => {
  if (blockedBy.includes(userId)) return RelationshipType.blocked;
  if (friends) return RelationshipType.friend;
  if (requestedBy === null) return undefined;
  return requestedBy === userId ? RelationshipType.outgoingRequest : RelationshipType.incomingRequest;
};

export interface RelationshipState extends StreamState {
  bond: Bond;
  keys: RecentKeys;
}

const STATE_BYTES = 500;

export const relationshipFold: Fold<RelationshipState> = {
  version: 1,
  initial: () => ({ sequence: 0, bond: NO_BOND, keys: new RecentKeys() }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.key !== null) state.keys.remember(event.key, event.sequence, event.time);
    if (event.type === 'relationship-changed') state.bond = event.data.bond;
    return state;
  },
  bytes: ({ keys }) => STATE_BYTES + keys.bytes,
  ...storedWithKeys<RelationshipState>(),
};

interface Relating {
  readonly by: string;
  readonly other: string;
  readonly key: string;
}

const become = ({ by, other }: Relating, former: Bond, bond: Bond): Decision =>
  happen({ type: 'relationship-changed', data: { by, people: [by, other], former, bond } });

/**
 * Asks to be friends, or accepts what the other asked.
 * @param command.isFull whether the caller may have no further friends, or the other no further requests
 */
export const befriend = (
  command: Relating & { readonly isFull: 'own' | 'others' | undefined },
  { bond, keys }: RelationshipState,
): Decision => {
  const { by, other, key, isFull } = command;
  if (keys.has(key) || bond.friends || bond.requestedBy === by) return nothing;
  if (bond.blockedBy.length > 0) return refuse('friendRequestBlocked');
  if (isFull === 'own') return refuse('maximumFriends');
  if (bond.requestedBy === other) return become(command, bond, { ...NO_BOND, friends: true });
  if (isFull === 'others') return refuse('friendRequestsFull');
  return become(command, bond, { ...NO_BOND, requestedBy: by });
};

/** Ends whatever was between the two, but not the other's block. */
export const block = (
  command: Relating & { readonly isFull: boolean },
  { bond, keys }: RelationshipState,
): Decision => {
  const { by, key, isFull } = command;
  if (keys.has(key) || bond.blockedBy.includes(by)) return nothing;
  if (isFull) return refuse('maximumBlocks');
  return become(command, bond, { ...NO_BOND, blockedBy: [...bond.blockedBy, by] });
};

/** Takes back a request or a block, refuses a request, or ends a friendship. */
export const unrelate = (command: Relating, { bond, keys }: RelationshipState): Decision => {
  if (keys.has(command.key) || relationOf(command.by, bond) === undefined) return nothing;
  return become(command, bond, { ...NO_BOND, blockedBy: bond.blockedBy.filter((one) => one !== command.by) });
};
