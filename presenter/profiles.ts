/** What people say about themselves, as they and others see it. */

import type { ApiFullUser, ApiProfile, ApiSelf } from './shapes.ts';
import type { WholeUser } from './users.ts';

const customStatus = (status: string | null) =>
  status === null ? null : { text: status, emoji_id: null, emoji_name: null };

export const presentSelf = ({ user, about }: WholeUser): ApiSelf => ({
  ...user,
  ...{ email: null, verified: true, mfa_enabled: false, flags: 0, premium_type: 0, locale: 'en-US' },
  ...{ bio: about.bio ?? '', banner: null, accent_color: about.accentColor },
  ...{ pronouns: about.pronouns ?? '', custom_status: customStatus(about.status) },
});

export const presentFullUser = ({ user, about }: WholeUser): ApiFullUser => ({
  ...user,
  ...{ banner: null, accent_color: about.accentColor },
});

/** @param shared ids of the guilds that the asker and the user are in */
export const presentProfile = (whole: WholeUser, shared: readonly string[]): ApiProfile => {
  const { about } = whole;
  const said = { bio: about.bio ?? '', accent_color: about.accentColor, pronouns: about.pronouns ?? '' };
  return {
    user: { ...presentFullUser(whole), bio: said.bio },
    user_profile: { ...said, banner: null, theme_colors: null },
    custom_status: customStatus(about.status),
    ...{ connected_accounts: [], premium_type: null, premium_since: null, premium_guild_since: null },
    ...{ badges: [], guild_badges: [], legacy_username: null },
    mutual_guilds: shared.map((id) => ({ id, nick: null })),
  };
};
