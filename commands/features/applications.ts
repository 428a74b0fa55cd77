/** Direct channels, read markers, typing, applications: commands about one or two users. */

import { either } from 'fp-ts';
import { register, type UserState } from '../../domain/user.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import { fieldError } from '../../schemas/errors.ts';
import { userStream } from '../../schemas/streams.ts';
import { causeOf, followed, type Handler, outcome, refused } from '../command.ts';

export const createApplication: Handler<CommandBody<'application.create'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  if (context.actor.kind === 'bot') return refused('botsCannot');
  const name = command.name.trim();
  if (name.length < 2)
    return either.left(fieldError(['name'], 'BASE_TYPE_BAD_LENGTH', 'Must be at least 2 characters long.'));
  const cause = causeOf(context, 'application.create');
  const userId = await deps.creation.id(cause.key, userStream);
  const stream = userStream(userId);
  await deps.vault.createKey(userId);
  const token = await deps.tokens.issueForBot(userId);
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: UserState) =>
      register(
        { userId, kind: 'bot', ownerId: context.actor.userId, profile: { username: name, globalName: null } },
        state,
      ),
  });
  if (either.isLeft(result)) return result;
  const ready = await followed(deps, result.right.position);
  if (either.isLeft(ready)) return ready;
  const user = await deps.presenter.user(userId);
  return outcome(stream, result.right, {
    id: userId,
    name,
    owner: { id: context.actor.userId },
    bot: { ...user, token },
  });
};
