/** What of a sign-in is read from requests, and shown in answers. */

import { either } from 'fp-ts';
import type { SignedIn } from '../commands/identity.ts';
import { wireTime } from '../presenter/time.ts';
import type { ParleyError } from '../schemas/errors.ts';
import type { Reply, RouteRequest } from '../schemas/http/route.ts';

/** What the client says it is. */
export const deviceOf = (headers: RouteRequest<unknown, unknown, unknown>['headers']): string =>
  String(headers['user-agent'] ?? '').slice(0, 200);

export const tokenOf = ({ token, expiresAt }: SignedIn) => ({
  token,
  auth_token: token,
  expires_at: wireTime(expiresAt),
});

export const tokenReply = (signedIn: either.Either<ParleyError, SignedIn>): either.Either<ParleyError, Reply> =>
  either.isLeft(signedIn) ? signedIn : either.right({ body: tokenOf(signedIn.right) });
