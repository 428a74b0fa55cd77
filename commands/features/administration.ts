/** What administrators do with accounts, and who administers the installation. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { type AdministratorsState, changeAdministrator } from '../../domain/administrators.ts';
import type { ChannelState } from '../../domain/channel.ts';
import { nothing } from '../../domain/decider.ts';
import { withoutRecipient } from '../../domain/groups.ts';
import { leave, type MemberState } from '../../domain/member.ts';
import { setDisabled, type UserState } from '../../domain/user.ts';
import { Snowflake } from '../../schemas/codecs.ts';
import { mayAct } from '../../schemas/events/user.ts';
import { ADMINISTRATORS_STREAM, channelStream, memberStream, userStream } from '../../schemas/streams.ts';
import {
  type Asked,
  type CommandDeps,
  command,
  NOTHING,
  outcome,
  type Result,
  refused,
  viewsHold,
} from '../command.ts';
import { isLastAdministrator, removeUser } from '../deletions.ts';

const OnUser = t.type({ user_id: Snowflake });
type OnUser = t.TypeOf<typeof OnUser>;

const administrates = async ({ context }: Pick<Asked<unknown>, 'context'>, deps: CommandDeps): Promise<Result<void>> =>
  (await deps.views.guilds.administrators()).includes(context.actor.userId)
    ? either.right(undefined)
    : refused('onlyAdministrator');

/** The caller administers the installation, and the user exists. */
const administratorOnUser = async (asked: Asked<OnUser>, deps: CommandDeps): Promise<Result<void>> => {
  const may = await administrates(asked, deps);
  if (either.isLeft(may)) return may;
  const user = await deps.views.guilds.user(asked.fields.user_id);
  return user === undefined || user.standing.deleted ? refused('unknownUser') : either.right(undefined);
};

const changing = (administers: boolean) => ({
  params: OnUser,
  structural: true as const,
  holdsUp: true as const,
  stream: () => ADMINISTRATORS_STREAM,
  rights: administratorOnUser,
  prepare: async ({ fields }: Asked<OnUser>, deps: CommandDeps) => {
    const { guilds } = deps.views;
    const user = await guilds.user(fields.user_id);
    if (administers && user?.kind !== 'person') return refused('botsCannot');
    const able = await guilds.users(await guilds.administrators());
    return either.right({
      first: await guilds.administrator(),
      able: new Set(able.filter(({ standing }) => mayAct(standing)).map(({ id }) => id)),
    });
  },
  waitsFor: 'views' as const,
});

interface Prepared {
  readonly first: string | undefined;
  readonly able: ReadonlySet<string>;
}

const decideWhether =
  (administers: boolean) =>
  (
    state: AdministratorsState,
    { prepared }: { readonly prepared: Prepared },
    { fields, context, cause }: Asked<OnUser>,
  ) =>
    changeAdministrator(
      {
        ...{ actor: context.actor.userId, userId: fields.user_id, administers, key: cause.key },
        ...{ first: prepared.first, mayAct: (id) => prepared.able.has(id) },
      },
      state,
    );

export const nameAdministrator = command({
  type: 'administrator.name',
  summary: 'Let a person administer the server, as you do.',
  route: { method: 'PUT', path: '/administrators/:user_id', status: 204, answers: 'Nothing.', ours: true },
  ...changing(true),
  decide: decideWhether(true),
});

export const removeAdministrator = command({
  type: 'administrator.remove',
  summary: 'Somebody no longer administers the server. The last one stays.',
  route: { method: 'DELETE', path: '/administrators/:user_id', status: 204, answers: 'Nothing.', ours: true },
  ...changing(false),
  decide: decideWhether(false),
});

const shutting = (disabled: boolean) => ({
  params: OnUser,
  structural: true as const,
  stream: ({ user_id }: OnUser) => userStream(user_id),
  rights: administratorOnUser,
  prepare: async ({ fields }: Asked<OnUser>, deps: CommandDeps) =>
    disabled && (await isLastAdministrator(deps, fields.user_id))
      ? refused('lastAdministrator')
      : either.right(undefined),
  decide: (state: UserState, _: unknown, { fields, cause }: Asked<OnUser>) =>
    setDisabled({ userId: fields.user_id, disabled, key: cause.key }, state),
  waitsFor: 'views' as const,
});

export const disableUser = command({
  type: 'user.disable',
  summary: 'Shut an account: it is signed out everywhere, and nobody signs in until it is opened again.',
  route: { method: 'PUT', path: '/users/:user_id/disabled', status: 204, answers: 'Nothing.', ours: true },
  ...shutting(true),
});

export const enableUser = command({
  type: 'user.enable',
  summary: 'Open an account that was shut.',
  route: { method: 'DELETE', path: '/users/:user_id/disabled', status: 204, answers: 'Nothing.', ours: true },
  ...shutting(false),
});

export const removeAccount = command({
  type: 'user.delete',
  summary: 'Delete an account at once, with the texts that its owner wrote. It must own no guild.',
  route: { method: 'DELETE', path: '/users/:user_id', status: 204, answers: 'Nothing.', ours: true },
  params: OnUser,
  structural: true,
  carryOut: async (asked, deps) => {
    const { fields, cause } = asked;
    const may = await administrates(asked, deps);
    if (either.isLeft(may)) return may;
    const removed = await removeUser(deps, { userId: fields.user_id, cause });
    if (either.isLeft(removed)) return removed;
    await viewsHold(deps, removed.right.position);
    return outcome(userStream(fields.user_id), removed.right, NOTHING);
  },
  follow: {
    // The key first: whatever follows, nothing can be read any more.
    'user-deleted': async function* ({ data: { userId, guilds } }, { guilds: views }) {
      yield { erases: userId };
      for (const guildId of guilds)
        yield {
          stream: memberStream(guildId, userId),
          decide: (key) => (state: MemberState) =>
            state.joined ? leave({ guildId, userId, ownerId: '', key }, state) : nothing,
        };
      for (const { id: channelId, kind } of await views.directChannelsOf(userId))
        if (kind === 'group')
          yield {
            stream: channelStream(channelId),
            decide: () => (state: ChannelState) => withoutRecipient({ channelId, userId }, state),
          };
    },
  },
});
