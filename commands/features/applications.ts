/** Applications and their bots. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { type Decision, nothing } from '../../domain/decider.ts';
import { register, signOut, type UserState } from '../../domain/user.ts';
import { Snowflake, visibleText } from '../../schemas/codecs.ts';
import { fieldError } from '../../schemas/errors.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { Profile } from '../../schemas/events/user.ts';
import { BotToken, CreatedApplication } from '../../schemas/http/shapes.ts';
import { userStream } from '../../schemas/streams.ts';
import { lengthOf } from '../../schemas/text.ts';
import { openAs } from '../../vault/sealing.ts';
import { type CommandDeps, command, creating, outcome, putBack, refused, viewsHold } from '../command.ts';

/** The name that the application was created with; `undefined` once its key is destroyed. */
const nameIn = async (deps: CommandDeps, event: ParleyEvent | undefined): Promise<string | undefined> => {
  if (event?.type !== 'user-registered') return undefined;
  const { sealed } = event.data;
  const place = { stream: event.stream, eventId: event.id };
  return openAs(Profile, await deps.keys.get(sealed.by), place, sealed)?.username;
};

export const createApplication = command({
  type: 'application.create',
  summary: "Create an application and its bot, with the bot's token.",
  route: {
    method: 'POST',
    path: '/applications',
    status: 201,
    answers: '{id, name, bot: {id, token}}',
    answer: CreatedApplication,
    ours: true,
  },
  body: t.type({ name: visibleText(2, 32, 'name') }),
  structural: true,
  // The next one counts this one.
  holdsUp: true,
  limit: { bucket: 'applicationCreate', key: (_, { userId }) => userId },
  prepare: async ({ fields, context, cause }, deps) => {
    if (context.actor.kind === 'bot') return refused('botsCannot');
    const name = fields.name.trim();
    if (lengthOf(name) < 2)
      return either.left(fieldError(['name'], 'BASE_TYPE_BAD_LENGTH', 'Must be at least 2 characters long.'));
    const named = await deps.names.id(creating(context, cause));
    if (either.isLeft(named)) return named;
    const userId = named.right;
    const isFull = (await deps.views.guilds.countApplications(context.actor.userId)) >= deps.bounds.applications;
    if (!isFull) await deps.vault.createKey(userId);
    return either.right({ userId, name, isFull });
  },
  preparedStream: ({ userId }) => userStream(userId),
  decide: (state: UserState, { prepared: { userId, name, isFull } }, { context }) => {
    const profile = { username: name, globalName: null };
    return register({ userId, kind: 'bot', ownerId: context.actor.userId, profile, isFull }, state);
  },
  waitsFor: 'views',
  answer: async ({ prepared, event }, { context, cause }, deps) => {
    const { userId: id } = prepared;
    const name = (await nameIn(deps, event)) ?? prepared.name;
    const { token, secret } = await deps.tokens.botToken(id, cause.key);
    // A repeat shows the first token again, unless it has been replaced since.
    const counts = await deps.vault.addTokenSecret(id, secret);
    return either.right({ kind: 'application', id, name, ownerId: context.actor.userId, token: counts ? token : null });
  },
});

export const resetBotToken = command({
  type: 'bot.reset',
  summary: "Replace a bot's token. The former one no longer counts, and its sockets are closed.",
  route: {
    method: 'POST',
    path: '/applications/:application_id/bot/reset',
    status: 200,
    answers: '{token}',
    answer: BotToken,
    ours: true,
  },
  params: t.type({ application_id: Snowflake }),
  structural: true,
  limit: { bucket: 'applicationCreate', key: (_, { userId }) => userId },
  carryOut: async ({ fields: { application_id: id }, context, cause }, deps) => {
    const bot = await deps.views.guilds.user(id);
    if (bot?.kind !== 'bot' || bot.ownerId !== context.actor.userId) return refused('unknownApplication');
    const stream = userStream(id);
    const run = (decide: (state: UserState) => Decision) =>
      deps.mailboxes.run({ stream, cause, prepare: async () => either.right(undefined), decide });
    const before = await run(() => nothing);
    if (either.isLeft(before)) return before;
    const { token, secret } = await deps.tokens.botToken(id, cause.key);
    // A known key sets nothing: its token may have been replaced since.
    const isKnown = before.right.known.length > 0;
    // Before the sockets are closed: they must not come back with the former token.
    const undo = isKnown ? undefined : await deps.vault.setTokenSecret(id, secret);
    const now = deps.now();
    const ended = await run((state) =>
      signOut({ userId: id, signIn: undefined, until: now, now, key: cause.key }, state),
    );
    if (either.isLeft(ended)) return undo === undefined ? ended : either.left(await putBack(ended.left, undo));
    await viewsHold(deps, ended.right.position);
    const counts = undo !== undefined || (await deps.vault.verifyTokenSecret(id, secret));
    return outcome(stream, ended.right, { kind: 'token', token: counts ? token : null });
  },
});
