/** Events of `instance-<what>`: what concerns the whole installation. */
import * as t from 'io-ts';
import { defineEvent, NO_INTENTS, nobody, unaudited } from './definition.ts';

/** In `instance-administrators`. The first person administers the installation until they are removed. */
const AdministratorChanged = defineEvent({
  codec: t.type({ userId: t.string, administers: t.boolean }),
  former: [],
  audiences: nobody,
  indexedFor: nobody,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: true,
  standsAlone: false,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: false,
  frequent: false,
  auditedIn: unaudited,
  seals: null,
  takesReason: false,
});

/** By their stored names. */
export const instanceEvents = {
  'administrator-changed': AdministratorChanged,
} as const;
