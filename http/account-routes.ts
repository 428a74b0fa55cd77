/** Sign-ins, codes, and the deletion of one's own account. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { Accounts, NewCode } from '../commands/accounts.ts';
import { wireTime } from '../presenter/time.ts';
import { anyText, integer, list, optional, Snowflake, text } from '../schemas/codecs.ts';
import { parleyError } from '../schemas/errors.ts';
import { type Route, route } from '../schemas/http/route.ts';
import * as shapes from '../schemas/http/shapes.ts';
import type { KnownCode, SignIn } from '../vault/port.ts';
import { deviceOf, tokenReply } from './sign-in.ts';

const BODY_BYTES = 8_192;
/** Most sign-ins that are ended by one request. */
const MOST = 100;

export interface AccountRouteDeps {
  readonly accounts: Accounts;
}

const presentSignIn = ({ id, device, created, lastUsed, expires }: SignIn) => ({
  id_hash: id,
  approx_last_used_time: wireTime(lastUsed),
  client_info: { platform: device === '' ? null : device, os: null, location: null },
  created_at: wireTime(created),
  expires_at: wireTime(expires),
});

const presentCode = ({ id, maxUses, uses, created, expires, madeBy }: KnownCode) => ({
  id,
  max_uses: maxUses,
  uses,
  created_at: wireTime(created),
  expires_at: expires === null ? null : wireTime(expires),
  inviter_id: madeBy,
});

const NewInvite = t.partial({
  max_uses: optional(integer(0, 100_000)),
  /** Seconds. */
  max_age: optional(integer(0, 31_536_000)),
});
/** Once, within a week. */
const ONCE = 1;
const WEEK = 604_800;

export const accountRoutes = ({ accounts }: AccountRouteDeps): Route[] => {
  const withCode = ({ code, known }: NewCode) => ({ ...presentCode(known), code });
  return [
    route({
      method: 'GET',
      path: '/auth/sessions',
      summary: 'Where you are signed in, the latest used first',
      access: 'user',
      answers: '{user_sessions}',
      answer: shapes.SignIns,
      handle: async ({ actor }) =>
        either.right({ body: { user_sessions: (await accounts.signIns(actor.userId)).map(presentSignIn) } }),
    }),
    route({
      method: 'POST',
      path: '/auth/sessions/logout',
      summary: 'Sign out elsewhere: the tokens and sockets of these sign-ins end.',
      access: 'user',
      body: t.type({ session_id_hashes: list(anyText(1, 64), MOST) }),
      answers: 'Nothing.',
      answer: 'nothing',
      handle: async ({ actor, body, correlationId }) => {
        const ended = await accounts.endSignIns(actor.userId, body.session_id_hashes, correlationId);
        return either.isLeft(ended) ? ended : either.right({ status: 204 });
      },
    }),
    route({
      method: 'GET',
      path: '/registration-invites',
      summary: 'Registration invites, the latest first',
      access: 'administrator',
      ours: true,
      answers: 'a list of registration invites, without their codes',
      answer: t.readonlyArray(shapes.RegistrationInvite),
      handle: async () => either.right({ body: (await accounts.invites()).map(presentCode) }),
    }),
    route({
      method: 'POST',
      path: '/registration-invites',
      summary:
        'Make a registration invite: for one person within a week, unless it says otherwise. 0 is without a limit.',
      access: 'administrator',
      ours: true,
      keyed: true,
      body: NewInvite,
      answers: 'the registration invite, with its code, which is shown this once',
      answer: shapes.NewRegistrationInvite,
      status: 201,
      handle: async ({ actor, body: { max_uses, max_age }, idempotencyKey: key }) => {
        const maxAge = (max_age ?? WEEK) * 1000;
        const made = await accounts.invite({ madeBy: actor.userId, maxUses: max_uses ?? ONCE, maxAge }, key);
        return either.isLeft(made) ? made : either.right({ status: 201, body: withCode(made.right) });
      },
    }),
    route({
      method: 'DELETE',
      path: '/registration-invites/:invite_id',
      summary: 'Delete a registration invite.',
      access: 'administrator',
      ours: true,
      params: t.type({ invite_id: text(1, 64, 'invite_id') }),
      answers: 'Nothing.',
      answer: 'nothing',
      handle: async ({ params }) =>
        (await accounts.removeInvite(params.invite_id))
          ? either.right({ status: 204 })
          : either.left(parleyError('unknownInvite')),
    }),
    route({
      method: 'POST',
      path: '/users/:user_id/password-reset',
      summary: 'Make a code by which a person sets another password, once and within a day.',
      access: 'administrator',
      ours: true,
      keyed: true,
      params: t.type({ user_id: Snowflake }),
      answers: '{code, expires_at}',
      answer: shapes.PasswordReset,
      status: 201,
      handle: async ({ actor, params, idempotencyKey: key }) => {
        const made = await accounts.resetCode(params.user_id, actor.userId, key);
        if (either.isLeft(made)) return made;
        const { code, known } = made.right;
        return either.right({ status: 201, body: { code, expires_at: wireTime(known.expires!) } });
      },
    }),
    route({
      method: 'POST',
      path: '/auth/reset',
      summary: 'Set another password by a code that an administrator made. You are signed out everywhere else.',
      access: 'public',
      ours: true,
      body: t.type({ code: anyText(1, 64, 'code'), new_password: text(8, 256, 'new_password') }),
      bodyLimit: BODY_BYTES,
      answers: '{token, auth_token, expires_at}',
      answer: shapes.Token,
      handle: async ({ body, address, correlationId, isGone, headers }) => {
        const caller = { address, correlationId, isGone, device: deviceOf(headers) };
        return tokenReply(await accounts.resetPassword(body.code, body.new_password, caller));
      },
    }),
    route({
      method: 'POST',
      path: '/users/@me/delete',
      summary: 'Delete your account. You are signed out, and whoever signs in within the time for that keeps it.',
      access: 'user',
      body: t.type({ password: anyText(1, 256, 'password') }),
      bodyLimit: BODY_BYTES,
      answers: 'Nothing.',
      answer: 'nothing',
      handle: async ({ actor, body, address, correlationId, idempotencyKey: key, isGone }) => {
        if (actor.kind === 'bot') return either.left(parleyError('botsCannot'));
        const deleted = await accounts.deleteOwn(actor.userId, body.password, { address, correlationId, isGone, key });
        return either.isLeft(deleted) ? deleted : either.right({ status: 204 });
      },
    }),
  ];
};
