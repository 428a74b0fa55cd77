/** Events of `creation-<HMAC of an idempotency key>`: what the command with this key creates is called. */
import * as t from 'io-ts';
import { defineEvent, NO_INTENTS, nobody, unaudited } from './definition.ts';

const CreationNamed = defineEvent({
  /** An id, or the code of an invite. The thing is created by a later event of another stream, if at all. */
  codec: t.type({ name: t.string }),
  former: [],
  audiences: nobody,
  indexedFor: nobody,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: [],
  followedUp: false,
  frequent: false,
  auditedIn: unaudited,
  takesReason: false,
  seals: null,
});

/** By their stored names. */
export const creationEvents = {
  'creation-named': CreationNamed,
} as const;
