/** Members of a guild whose names begin as asked. Names are sealed, so they are opened and compared here. */

import { type GuildReader, type MemberRow, memberPages } from '../projections/views/guild-views/view.ts';
import { nameKey } from '../schemas/text.ts';
import type { Presenter } from './presenter.ts';

/** Members whose names are compared, in order of id: more would take seconds. */
const MOST_COMPARED = 100_000;

interface Search {
  /** What a username, a display name or a nickname begins with, in any case and width. */
  readonly query: string;
  readonly limit: number;
}

/** @returns in order of user id */
export const membersNamed = async (
  {
    guilds,
    presenter,
  }: { readonly guilds: Pick<GuildReader, 'members'>; readonly presenter: Pick<Presenter, 'members'> },
  guildId: string,
  { query, limit }: Search,
): Promise<readonly MemberRow[]> => {
  const prefix = nameKey(query);
  const found: MemberRow[] = [];
  let compared = 0;
  for await (const rows of memberPages(guilds, guildId)) {
    const shown = await presenter.members(rows);
    for (const [n, { user, nick }] of shown.entries()) {
      const names = [user.username, user.global_name, nick];
      if (names.some((name) => name !== null && nameKey(name).startsWith(prefix))) found.push(rows[n]!);
    }
    compared += rows.length;
    if (found.length >= limit || compared >= MOST_COMPARED) break;
  }
  return found.slice(0, limit);
};
