/** Direct channels, read markers, typing, applications: commands about one or two users. */

import { either } from 'fp-ts';
import { type DirectState, openDirect as decideDirect } from '../../domain/direct.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import { directStream } from '../../schemas/streams.ts';
import { causeOf, type Handler, outcome, refused, settled } from '../command.ts';

export const openDirect: Handler<CommandBody<'dm.create'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const { userId } = context.actor;
  const other = command.recipient_id;
  if (other === userId) return refused('cannotMessageUser');
  if ((await deps.views.guilds.user(other)) === undefined) return refused('unknownUser');
  const stream = directStream(userId, other);
  const channelId = deps.ids(deps.now());
  const cause = causeOf(context, 'dm.create');
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: DirectState) => decideDirect({ channelId, participants: [userId, other] }, state),
  });
  if (either.isLeft(result)) return result;
  const ready = await settled(deps, stream, cause.key, result.right);
  if (either.isLeft(ready)) return ready;
  const [opened] = await deps.log.readStream({ stream, from: 1, limit: 1 });
  const id = opened?.type === 'dm-opened' ? opened.data.channelId : channelId;
  const row = await deps.views.guilds.channel(id);
  if (row === undefined) return refused('unavailable');
  return outcome(stream, result.right, await deps.presenter.channel(row, userId, await deps.views.unread.head(id)));
};
