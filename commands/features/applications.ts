/** Applications and their bots. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { register, type UserState } from '../../domain/user.ts';
import { text } from '../../schemas/codecs.ts';
import { fieldError } from '../../schemas/errors.ts';
import { userStream } from '../../schemas/streams.ts';
import { command, refused } from '../command.ts';

export const createApplication = command({
  type: 'application.create',
  summary: 'Create an application and its bot. The token is shown this once.',
  route: { method: 'POST', path: '/applications', status: 201, answers: '{id, name, bot: {id, token}}' },
  body: t.type({ name: text(2, 32, 'name') }),
  structural: true,
  prepare: async ({ fields, context, cause }, deps) => {
    if (context.actor.kind === 'bot') return refused('botsCannot');
    const name = fields.name.trim();
    if (name.length < 2)
      return either.left(fieldError(['name'], 'BASE_TYPE_BAD_LENGTH', 'Must be at least 2 characters long.'));
    const userId = await deps.derivedIds.id(cause.key, userStream);
    await deps.vault.createKey(userId);
    return either.right({ userId, name, token: await deps.tokens.issueForBot(userId) });
  },
  preparedStream: ({ userId }) => userStream(userId),
  decide: (state: UserState, { prepared: { userId, name } }, { context }) =>
    register(
      { userId, kind: 'bot', ownerId: context.actor.userId, profile: { username: name, globalName: null } },
      state,
    ),
  waitsFor: 'views',
  answer: async ({ prepared: { userId, name, token } }, { context }) =>
    either.right({ kind: 'application', id: userId, name, ownerId: context.actor.userId, token }),
});
