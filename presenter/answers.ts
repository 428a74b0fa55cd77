/** A command's answer as its client is shown it. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import type { Answer } from '../commands/port.ts';
import { type ParleyError, parleyError, StoreUnavailable } from '../schemas/errors.ts';
import { type Soon, soon } from '../schemas/soon.ts';
import { presentIncidents, presentRole, presentRoles } from './guilds.ts';
import { presentNotifications } from './notifications.ts';
import type { Presenter } from './presenter.ts';
import { presentSelf } from './profiles.ts';

export type AnswerPresenter = Pick<
  Presenter,
  | 'posted'
  | 'edited'
  | 'messages'
  | 'guild'
  | 'channel'
  | 'invite'
  | 'member'
  | 'user'
  | 'self'
  | 'changed'
  | 'reports'
  | 'ownReports'
>;

type Kind = Answer['kind'];
type Renderers = {
  readonly [K in Kind]: (presenter: AnswerPresenter, answer: Extract<Answer, { readonly kind: K }>) => unknown;
};

const renderers: Renderers = {
  nothing: () => null,
  accepted: () => null,
  self: async (presenter, { userId, event }) =>
    event === undefined ? presenter.self(userId) : presentSelf(await presenter.changed(event)),
  marked: () => ({ token: null }),
  posted: (presenter, { event, guildId, said }) => presenter.posted(event, guildId, said),
  edited: (presenter, { event, guildId }) => presenter.edited(event, guildId),
  row: async (presenter, { row }) => (await presenter.messages([row]))[0],
  guild: async (presenter, { guild, channels, viewer }) => {
    if (channels === undefined) return presenter.guild(guild);
    const shown = channels.map((channel) => presenter.channel(channel, viewer));
    return { ...presenter.guild(guild), channels: await Promise.all(shown) };
  },
  channel: (presenter, { channel, viewer, head, lastPinned }) => presenter.channel(channel, viewer, head, lastPinned),
  role: (_, { role }) => presentRole(role),
  roles: (_, { guild }) => presentRoles(guild),
  member: (presenter, { member }) => presenter.member(member),
  'bulk-banned': (_, { banned, failed }) => ({ banned_users: banned, failed_users: failed }),
  report: async (presenter, { report, isReporters }) =>
    (isReporters ? await presenter.ownReports([report]) : await presenter.reports([report]))[0],
  invite: (presenter, { invite }) => presenter.invite(invite),
  incidents: (_, { pauses }) => presentIncidents(pauses),
  application: async (presenter, { id, name, ownerId, token }) => {
    // The views may not know the bot yet.
    const user = { ...(await presenter.user(id)), username: name, global_name: null, bot: true };
    return { id, name, owner: { id: ownerId }, bot: { ...user, token } };
  },
  notifications: (_, { row }) => presentNotifications(row),
  token: (_, { token }) => ({ token }),
};

export interface PresentedAnswer {
  /** The JSON that HTTP and op 101 carry. */
  readonly shown: unknown;
  /** The command is stored, but what the answer would show cannot be read now. */
  readonly accepted: boolean;
}

/** An edited message that has been deleted since is unknown. */
export const presentAnswer = (
  presenter: AnswerPresenter,
  answer: Answer,
): Soon<Either<ParleyError, PresentedAnswer>> => {
  const render = renderers[answer.kind] as (presenter: AnswerPresenter, answer: Answer) => unknown;
  const presented = (shown: unknown): Either<ParleyError, PresentedAnswer> =>
    answer.kind === 'edited' && shown === undefined
      ? either.left(parleyError('unknownMessage'))
      : either.right({ shown, accepted: answer.kind === 'accepted' });
  try {
    const shown = render(presenter, answer);
    return soon(shown, presented, unreadable);
  } catch (failure) {
    return unreadable(failure);
  }
};

const unreadable = (failure: unknown): Either<never, PresentedAnswer> => {
  if (failure instanceof StoreUnavailable) return either.right({ shown: null, accepted: true });
  throw failure;
};
