/** From the Authorization header to who is asking. */
import type { GuildReader } from '../projections/guild-views/port.ts';
import type { Actor } from '../schemas/actor.ts';
import type { Tokens } from '../vault/index.ts';

export const authenticator =
  (tokens: Tokens, guilds: GuildReader) =>
  async (authorization: string | undefined): Promise<Actor | undefined> => {
    if (authorization === undefined) return undefined;
    const verified = await tokens.verify(authorization);
    if (verified === undefined) return undefined;
    const user = await guilds.user(verified.userId);
    if (user === undefined) return undefined;
    return { userId: user.id, kind: user.kind, administrator: (await guilds.administrator()) === user.id };
  };
