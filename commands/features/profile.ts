/** What people say about themselves. */

import { either } from 'fp-ts';
import { nothing } from '../../domain/decider.ts';
import { patched } from '../../domain/patch.ts';
import { changeProfile, type UserState } from '../../domain/user.ts';
import { type About, NO_ABOUT, Profile } from '../../schemas/events/user.ts';
import { ProfileFields } from '../../schemas/http/profile.ts';
import { Self } from '../../schemas/http/shapes.ts';
import { userStream } from '../../schemas/streams.ts';
import { openAs } from '../../vault/sealing.ts';
import { command, refused } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';

/** An empty text is none. */
const said = (given: string | null | undefined) => (given === '' ? null : given);

const withFields = (profile: Profile, fields: ProfileFields): Profile => {
  const { global_name, bio, pronouns, accent_color, custom_status } = fields;
  const status = custom_status === undefined ? undefined : (custom_status?.text ?? null);
  const patch = { bio: said(bio), pronouns: said(pronouns), accentColor: accent_color, status };
  const about: About = patched(profile.about ?? NO_ABOUT, patch, NO_ABOUT);
  return { ...profile, about, globalName: global_name === undefined ? profile.globalName : global_name };
};

/** Fields of Discord's that have nothing to change here. */
const PROFILE_NOT_THERE = {
  ...{ avatar: [], banner: [], username: [], discriminator: [], email: [], theme_colors: [], flags: [] },
  ...{ avatar_decoration_id: [], profile_effect_id: [] },
};

export const editProfile = command({
  type: 'user.edit',
  summary: 'Change what you say about yourself. What you leave out stays; null empties it.',
  route: {
    method: 'PATCH',
    path: '/users/@me/profile',
    status: 200,
    answers: 'You, as at /users/@me.',
    answer: Self,
  },
  body: ProfileFields,
  structural: true,
  check: refuseNotThere(PROFILE_NOT_THERE),
  limit: { bucket: 'profile', key: (_, { userId }) => userId },
  prepare: async ({ context: { actor } }, deps) => {
    const guilds = await deps.views.guilds.guildsOf(actor.userId);
    return either.right(guilds.map(({ id }) => id));
  },
  stream: (_, { userId }) => userStream(userId),
  decide: async (state: UserState, { prepared: guilds }, { fields, context, cause }, deps) => {
    const { userId } = context.actor;
    if (state.profile === undefined) return nothing;
    const { sealed, sealedIn } = state.profile;
    const key = await deps.keys.get(userId);
    const present = openAs(Profile, key, { stream: userStream(userId), eventId: sealedIn }, sealed);
    if (present === undefined) return refused('unauthorized');
    return changeProfile({ userId, present, next: withFields(present, fields), guilds, key: cause.key }, state);
  },
  waitsFor: 'views',
  answer: async ({ event }, { context }) =>
    either.right({
      kind: 'self',
      event: event?.type === 'user-profile-changed' ? event : undefined,
      userId: context.actor.userId,
    }),
});
