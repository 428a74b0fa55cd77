/** Events of `guild-<id>`: its structure, small enough to fold. */
import * as t from 'io-ts';
import { guildAudience } from '../streams.ts';
import { defineEvent, NO_INTENTS, nobody } from './definition.ts';

const GuildCreated = defineEvent({
  codec: t.type({
    guildId: t.string,
    name: t.string,
    ownerId: t.string,
    /** Permissions of @everyone, a bit set as a decimal string. */
    everyone: t.string,
    /** The text channel that a process creates with the guild. */
    firstChannel: t.type({ id: t.string, name: t.string }),
  }),
  former: [],
  audiences: nobody,
  indexedFor: ({ data }) => [guildAudience(data.guildId)],
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: true,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: true,
  frequent: false,
  seals: null,
});

/** By their stored names. */
export const guildEvents = {
  'guild-created': GuildCreated,
} as const;
