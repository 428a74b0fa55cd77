/** Events of `guild-<id>`: its structure, small enough to be folded. */
import * as t from 'io-ts';

export const GuildCreated = t.type({
  guildId: t.string,
  name: t.string,
  ownerId: t.string,
  /** Permissions of @everyone, a bit set as a decimal string. */
  everyone: t.string,
  /** The text channel that a process creates with the guild. */
  firstChannel: t.type({ id: t.string, name: t.string }),
});
