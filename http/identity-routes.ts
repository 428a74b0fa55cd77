/** Registering, signing in and out, and what changes a person's tokens. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { Identity, SignedIn } from '../commands/identity.ts';
import type { CommandBus } from '../commands/port.ts';
import { presentAnswer } from '../presenter/answers.ts';
import type { Presenter } from '../presenter/presenter.ts';
import { anyText, checkedText, optional, text, visibleText } from '../schemas/codecs.ts';
import { fieldError, type ParleyError, parleyError } from '../schemas/errors.ts';
import { ProfileFields } from '../schemas/http/profile.ts';
import { type Reply, type Route, type RouteRequest, route } from '../schemas/http/route.ts';
import * as shapes from '../schemas/http/shapes.ts';
import { hasInvisible, mixesScripts, nameProblem } from '../schemas/text.ts';
import { deviceOf, tokenOf, tokenReply } from './sign-in.ts';

/** Names and passwords at their longest, escaped, are less. Nobody has to show a token for it to be read. */
const CREDENTIALS_BYTES = 8_192;

/** Without blanks or the characters that make up mentions and addresses. */
const USERNAME = /^[^\s@#:`<>\p{C}]{2,32}$/u;

const usernameProblem = (u: unknown): string | undefined => {
  if (typeof u !== 'string' || !USERNAME.test(u) || hasInvisible(u) || nameProblem(u) !== undefined)
    return 'Must be 2 to 32 visible characters without spaces, @, #, :, <, > and backquotes.';
  return mixesScripts(u) ? 'Must be of one script that is in common use.' : undefined;
};

const Username = checkedText('username', usernameProblem);
/** One that is checked, and one that is set. */
const Password = anyText(1, 256, 'password');
const NewPassword = text(8, 256, 'new_password');

export const RegisterBody = t.intersection([
  t.type({ username: Username, password: text(8, 256, 'password') }),
  t.partial({
    global_name: optional(visibleText(1, 32, 'global_name')),
    /** From the link that a server prints while registration is closed and nobody administers it. */
    setup_code: optional(anyText(1, 64, 'setup_code')),
    /** The code of a registration invite, where one is needed. */
    invite: optional(anyText(1, 64, 'invite')),
  }),
]);

const LoginBody = t.intersection([
  t.type({ password: Password }),
  t.partial({ username: optional(text(1, 64, 'username')), login: optional(text(1, 64, 'login')) }),
]);

export interface IdentityRouteDeps {
  readonly identity: Identity;
  readonly bus: CommandBus;
  readonly presenter: Presenter;
  /** The gateway URL as this request's client can reach it. */
  readonly gatewayUrl: (headers: Readonly<Record<string, string | string[] | undefined>>) => string;
}

type Headers = Parameters<IdentityRouteDeps['gatewayUrl']>[0];

const authorizationOf = ({ authorization }: Headers): string => String(authorization);

export const identityRoutes = ({ identity, bus, presenter, gatewayUrl }: IdentityRouteDeps): Route[] => {
  const reply = async (
    signedIn: either.Either<ParleyError, SignedIn>,
    status: number,
    headers: Headers,
    profile: { readonly username?: string; readonly global_name?: string | null } = {},
  ) => {
    if (either.isLeft(signedIn)) return signedIn;
    const user = { ...(await presenter.self(signedIn.right.userId)), ...profile };
    const body = { ...tokenOf(signedIn.right), gateway_url: gatewayUrl(headers), user };
    return either.right<ParleyError, Reply>({ status, body });
  };

  const logout = (path: string, summary: string, everywhere: boolean) =>
    route({
      method: 'POST',
      path,
      summary,
      access: 'user',
      ours: true,
      answers: 'Nothing.',
      answer: 'nothing',
      handle: async ({ headers, correlationId }) => {
        const ended = await identity.logout(authorizationOf(headers), everywhere, correlationId);
        return either.isLeft(ended) ? ended : either.right({ status: 204 });
      },
    });

  const edit = async (request: RouteRequest<unknown, unknown, object>): Promise<either.Either<ParleyError, object>> => {
    const { actor, correlationId, idempotencyKey: key } = request;
    const context = { actor, key, counted: true, correlationId };
    const { outcome } = await bus.submit(context, 'user.edit', request.body);
    if (either.isLeft(outcome)) return outcome;
    const shown = await presentAnswer(presenter, outcome.right.answer);
    return either.isLeft(shown) ? shown : either.right(shown.right.shown as object);
  };

  const passwordNeeded = fieldError(['password'], 'BASE_TYPE_REQUIRED', 'This field is required');
  const newPassword = t.type({ password: Password, new_password: NewPassword });

  const changePassword = ({
    headers,
    body: { password: present, new_password: next },
    address,
    correlationId,
    idempotencyKey: key,
    isGone,
  }: RouteRequest<unknown, unknown, t.TypeOf<typeof newPassword>>) =>
    identity.changePassword(
      authorizationOf(headers),
      { present, next },
      { address, correlationId, isGone, key, device: deviceOf(headers) },
    );

  return [
    route({
      method: 'PATCH',
      path: '/users/@me',
      summary:
        'Change your profile, or your password with the present one: you are then signed out everywhere, and signed in here by the new token.',
      access: 'user',
      body: t.intersection([
        ProfileFields,
        t.partial({ password: optional(Password), new_password: optional(NewPassword) }),
      ]),
      bodyLimit: CREDENTIALS_BYTES,
      answers: 'a user, with the new token if there is one',
      answer: shapes.SelfWithToken,
      handle: async (request) => {
        const { password, new_password, ...profile } = request.body;
        if (new_password != null && password == null) return either.left(passwordNeeded);
        const changed =
          new_password == null
            ? undefined
            : await changePassword({ ...request, body: { password: password!, new_password } });
        if (changed !== undefined && either.isLeft(changed)) return changed;
        const isAsked = changed === undefined || Object.keys(profile).length > 0;
        const edited = isAsked
          ? await edit({ ...request, body: profile })
          : either.right(await presenter.self(request.actor.userId));
        if (either.isLeft(edited)) return edited;
        return either.right({ body: { ...edited.right, ...(changed && { token: changed.right.token }) } });
      },
    }),
    route({
      method: 'POST',
      path: '/auth/register',
      summary: 'Register a person. The first one administers the server.',
      access: 'public',
      ours: true,
      keyed: true,
      body: RegisterBody,
      bodyLimit: CREDENTIALS_BYTES,
      answers: '{token, auth_token, expires_at, gateway_url, user}',
      answer: shapes.SignedIn,
      status: 201,
      handle: async ({ body, address, correlationId, idempotencyKey: key, isGone, headers }) => {
        const {
          username,
          password,
          global_name: globalName = null,
          setup_code: setupCode = null,
          invite = null,
        } = body;
        const device = deviceOf(headers);
        const caller = { address, correlationId, isGone, key, setupCode, invite, device };
        const signedIn = await identity.register({ username, password, globalName }, caller);
        // The views may not know the person yet.
        return reply(signedIn, 201, headers, { username, global_name: globalName });
      },
    }),
    route({
      method: 'POST',
      path: '/login',
      summary: 'Sign in with username (or login) and password.',
      access: 'public',
      ours: true,
      body: LoginBody,
      bodyLimit: CREDENTIALS_BYTES,
      answers: '{token, auth_token, expires_at, gateway_url, user}',
      answer: shapes.SignedIn,
      handle: async ({ body, address, correlationId, isGone, headers }) => {
        const name = body.username ?? body.login;
        if (name === null || name === undefined) {
          const required = [{ code: 'BASE_TYPE_REQUIRED', message: 'This field is required' }];
          return either.left(parleyError('invalidForm', { errors: { username: { _errors: required } } }));
        }
        const caller = { address, correlationId, isGone, device: deviceOf(headers) };
        return reply(await identity.login(name, body.password, caller), 200, headers);
      },
    }),
    route({
      method: 'POST',
      path: '/auth/refresh',
      summary: 'A new token for one that is about to expire. Sockets and sessions go on.',
      access: 'user',
      ours: true,
      answers: '{token, auth_token, expires_at}',
      answer: shapes.Token,
      handle: async ({ headers }) => tokenReply(await identity.refresh(authorizationOf(headers))),
    }),
    logout('/auth/logout', 'Sign out: this token ends, with those it was refreshed to and their sockets.', false),
    logout('/auth/logout/everywhere', 'Sign out everywhere: all of your tokens and sockets end.', true),
    route({
      method: 'POST',
      path: '/auth/password',
      summary: 'Change your password. You are signed out everywhere, and signed in here by the new token.',
      access: 'user',
      ours: true,
      keyed: true,
      takesEnded: true,
      body: newPassword,
      bodyLimit: CREDENTIALS_BYTES,
      answers: '{token, auth_token, expires_at}',
      answer: shapes.Token,
      handle: async (request) => tokenReply(await changePassword(request)),
    }),
  ];
};
