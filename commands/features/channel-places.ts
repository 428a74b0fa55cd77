/** Several channels of a guild get other places, categories, and the overwrites of those. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { moveChannels as decideMoves } from '../../domain/channel-places.ts';
import { type GuildState, MAX_CHANNELS } from '../../domain/guild.ts';
import { integer, list, optional, Snowflake } from '../../schemas/codecs.ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { guildStream } from '../../schemas/streams.ts';
import { command } from '../command.ts';
import { placeStep } from '../processes.ts';
import { MAX_POSITION, parentOf, seenChannels } from './channels.ts';
import { memberOfGuild } from './guilds.ts';

const Place = t.intersection([
  t.type({ id: Snowflake }),
  t.partial({
    position: optional(integer(0, MAX_POSITION)),
    parent_id: optional(Snowflake),
    lock_permissions: optional(t.boolean),
  }),
]);

/** @param given null takes the channel out of its category */
const placeOf = ({ id, position, parent_id: given, lock_permissions }: t.TypeOf<typeof Place>) => ({
  ...{ id, position, parentId: given === undefined ? undefined : parentOf(given) },
  locked: lock_permissions === true,
});

export const moveChannels = command({
  type: 'channel.move',
  summary:
    'Put channels at other places and into categories. lock_permissions gives them the overwrites of the category.',
  route: {
    method: 'PATCH',
    path: '/guilds/:guild_id/channels',
    bodyIs: 'channels',
    status: 204,
    answers: 'Nothing.',
  },
  params: OnGuild,
  body: t.type({ channels: list(Place, MAX_CHANNELS, ({ id }) => id) }),
  structural: true,
  holdsUp: true,
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: memberOfGuild,
  prepare: async (request, deps) => either.right(await seenChannels(request, deps)),
  decide: (state: GuildState, { rights: actor, prepared: known }, { fields, cause }) => {
    const places = fields.channels.map(placeOf);
    return decideMoves({ guildId: fields.guild_id, actor, key: cause.key, places, known }, state);
  },
  follow: {
    'channels-moved': ({ data: { guildId, channels } }) => channels.map((place) => placeStep({ guildId, ...place })),
  },
  waitsFor: 'processes',
});
