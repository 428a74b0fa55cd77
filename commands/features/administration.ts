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
import { type ParleyError, parleyError } from '../../schemas/errors.ts';
import { ADMINISTRATORS_STREAM, channelStream, memberStream, userStream } from '../../schemas/streams.ts';
import {
  type Asked,
  type CommandDeps,
  command,
  NOTHING,
  outcome,
  type Result,
  refused,
  unlessRepeated,
  viewsHold,
} from '../command.ts';
import { administration, removeUser, stepDown } from '../deletions.ts';

const OnUser = t.type({ user_id: Snowflake });
type OnUser = t.TypeOf<typeof OnUser>;

const administrates = async ({ context }: Pick<Asked<unknown>, 'context'>, deps: CommandDeps): Promise<Result<void>> =>
  (await deps.views.guilds.administrators()).includes(context.actor.userId)
    ? either.right(undefined)
    : refused('onlyAdministrator');

/** Why somebody can be named no administrator, nor removed. */
const refusedAdministrator = async (administers: boolean, userId: string, { views }: CommandDeps) => {
  const user = await views.guilds.user(userId);
  if (user === undefined || user.standing.deleted) return parleyError('unknownUser');
  return administers && user.kind !== 'person' ? parleyError('botsCannot') : undefined;
};

const changing = (administers: boolean) => ({
  params: OnUser,
  structural: true as const,
  holdsUp: true as const,
  stream: () => ADMINISTRATORS_STREAM,
  // The decision looks whether the caller administers the installation: of a repeat they may have removed themselves.
  prepare: async ({ fields }: Asked<OnUser>, deps: CommandDeps) =>
    either.right(await refusedAdministrator(administers, fields.user_id, deps)),
  waitsFor: 'views' as const,
});

const decideWhether =
  (administers: boolean) =>
  async (
    state: AdministratorsState,
    { prepared: refusal }: { readonly prepared: ParleyError | undefined },
    { fields, context, cause }: Asked<OnUser>,
    deps: CommandDeps,
  ) => {
    const { key } = cause;
    const known = await administration(state, deps);
    const change = { actor: context.actor.userId, userId: fields.user_id, administers, ...known, key };
    return unlessRepeated(refusal, state, cause, changeAdministrator(change, state));
  };

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

export const disableUser = command({
  type: 'user.disable',
  summary:
    'Shut an account: it is signed out everywhere, nobody signs in until it is opened again, and it no longer administers the server.',
  route: { method: 'PUT', path: '/users/:user_id/disabled', status: 204, answers: 'Nothing.', ours: true },
  params: OnUser,
  structural: true,
  carryOut: async (asked, deps) => {
    const { fields, cause } = asked;
    const userId = fields.user_id;
    const may = await administrates(asked, deps);
    if (either.isLeft(may)) return may;
    const stepped = await stepDown(deps, userId, cause);
    if (either.isLeft(stepped)) return stepped;
    const stream = userStream(userId);
    const shut = await deps.mailboxes.run({
      ...{ stream, cause, prepare: async () => either.right(undefined) },
      decide: (state: UserState) => setDisabled({ userId, disabled: true, key: cause.key }, state),
    });
    if (either.isLeft(shut)) return shut;
    await viewsHold(deps, shut.right.position);
    return outcome(stream, shut.right, NOTHING);
  },
});

export const enableUser = command({
  type: 'user.enable',
  summary: 'Open an account that was shut.',
  route: { method: 'DELETE', path: '/users/:user_id/disabled', status: 204, answers: 'Nothing.', ours: true },
  params: OnUser,
  structural: true,
  stream: ({ user_id }) => userStream(user_id),
  rights: administrates,
  decide: (state: UserState, _, { fields, cause }) =>
    setDisabled({ userId: fields.user_id, disabled: false, key: cause.key }, state),
  waitsFor: 'views',
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
