/** Events of `guild-<id>`: its structure, small enough to fold. */
import * as t from 'io-ts';
import { guildAudience } from '../streams.ts';
import { Created } from './channel.ts';
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
  standsAlone: false,
  inGuildCreate: false,
  changes: ['guild-views'],
  followedUp: true,
  frequent: false,
  seals: null,
});

/** The guild's stream bounds the number of its channels, so it takes the request; a process creates the channel. */
const ChannelRequested = defineEvent({
  codec: Created,
  former: [],
  audiences: nobody,
  indexedFor: nobody,
  feed: 'structure',
  intents: NO_INTENTS,
  changesRights: false,
  standsAlone: false,
  inGuildCreate: false,
  changes: [],
  followedUp: true,
  frequent: false,
  seals: null,
});

/** By their stored names. */
export const guildEvents = {
  'guild-created': GuildCreated,
  'channel-requested': ChannelRequested,
} as const;
