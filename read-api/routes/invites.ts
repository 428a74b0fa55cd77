/** Invites, as those who hold their code see them. */
import * as t from 'io-ts';
import type { InviteRow } from '../../projections/guild-views/port.ts';
import type { Route } from '../../schemas/http/route.ts';
import { text } from '../../schemas/primitives.ts';
import type { ReadDeps } from '../deps.ts';
import { found, readRoute, refused } from './read-route.ts';

/** Whether it still lets somebody in. */
const open = (invite: InviteRow, now: number): boolean =>
  (invite.expiresAt === null || invite.expiresAt > now) && (invite.maxUses === 0 || invite.uses < invite.maxUses);

export const inviteRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/invites/:code',
    summary: 'What an invite leads to',
    params: t.type({ code: text(2, 32, 'code') }),
    answers: 'an invite with its guild and channel',
    handle: async ({ params }) => {
      const row = await deps.views.guilds.invite(params.code);
      const invite = row === undefined || !open(row, deps.now()) ? undefined : await deps.presenter.invite(row);
      return invite === undefined ? refused('unknownInvite') : found(invite);
    },
  }),
];
