/** Creating and deleting invites. Joining by one is in `members.ts`. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as invite from '../../domain/invite.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import type { InviteRow } from '../../projections/views/guild-views/view.ts';
import { integer, optional, text } from '../../schemas/codecs.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { OnChannel } from '../../schemas/http/route.ts';
import { Invite } from '../../schemas/http/shapes.ts';
import { inviteStream } from '../../schemas/streams.ts';
import { command, creating, refused } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';

const DEFAULT_SECONDS = 86_400;

/** As it begins: nobody has used it. */
export const asCreated = (event: ParleyEvent | undefined): InviteRow | undefined =>
  event?.type === 'invite-created' ? { ...event.data, uses: 0, createdTime: event.time } : undefined;

export const createInvite = command({
  type: 'invite.create',
  summary: 'Create an invite. max_age in seconds (default a day, 0 never expires), max_uses (0 any number).',
  route: { method: 'POST', path: '/channels/:channel_id/invites', status: 200, answers: 'The invite.', answer: Invite },
  params: OnChannel,
  body: t.partial({
    /** Seconds; 0 means that it never expires. */
    max_age: optional(integer(0, 604_800)),
    max_uses: optional(integer(0, 100)),
  }),
  structural: true,
  check: refuseNotThere({
    ...{ temporary: [false], target_type: [], target_user_id: [], target_application_id: [], role_ids: [] },
    ...{ target_users_file: [] },
  }),
  // The next one counts this one.
  holdsUp: true,
  limit: { bucket: 'inviteCreate', key: (_, { userId }) => userId },
  rights: async ({ fields, context }, deps) => {
    const access = await deps.access.channel(context.actor.userId, fields.channel_id);
    if (access === undefined) return refused('unknownChannel');
    if (access.guild === undefined) return refused('dmExecute');
    if (access.channel.kind === 'category' || access.channel.kind === 'thread') return refused('wrongChannelType');
    if (!allows(access.permissions, Permission.createInvite)) return refused('missingPermissions');
    const guildId = access.guild.id;
    const open = await deps.views.guilds.countOpenInvites(guildId, context.actor.userId, deps.now());
    return either.right({ guildId, isFull: open >= deps.bounds.invites });
  },
  prepare: ({ context, cause }, deps) => deps.names.code(creating(context, cause)),
  preparedStream: (code) => inviteStream(code),
  decide: (state: invite.InviteState, { rights, prepared: code }, { fields, context }, deps) => {
    const { guildId, isFull } = rights;
    const age = fields.max_age ?? DEFAULT_SECONDS;
    const { channel_id: channelId, max_uses } = fields;
    const expiresAt = age === 0 ? null : deps.now() + age * 1000;
    const inviterId = context.actor.userId;
    const asked = { code, guildId, channelId, inviterId, maxUses: max_uses ?? 0, expiresAt };
    return invite.createInvite({ invite: asked, isFull }, state);
  },
  waitsFor: 'views',
  answer: async ({ event }, _, deps) => {
    const created = asCreated(event);
    if (created === undefined) return refused('keyReused');
    return either.right({ kind: 'invite', invite: (await deps.views.guilds.invite(created.code)) ?? created });
  },
});

export const deleteInvite = command({
  type: 'invite.delete',
  summary: 'Delete an invite that you made, or one of a channel or a guild that you manage.',
  route: { method: 'DELETE', path: '/invites/:code', status: 200, answers: 'The invite as it was.', answer: Invite },
  params: t.type({ code: text(2, 32, 'code') }),
  structural: true,
  stream: ({ code }) => inviteStream(code),
  rights: async ({ fields, context }, deps) => {
    const { userId } = context.actor;
    const row = await deps.views.guilds.invite(fields.code);
    const guild = row && (await deps.access.guild(userId, row.guildId));
    // Who holds the code may know that there is such an invite.
    if (row === undefined || guild === undefined) return either.right({ may: row?.inviterId === userId });
    const channel = await deps.access.channel(userId, row.channelId);
    const may =
      row.inviterId === userId ||
      allows(guild.permissions, Permission.manageGuild) ||
      (channel !== undefined && allows(channel.permissions, Permission.manageChannels));
    return either.right({ may });
  },
  prepare: async ({ fields }, deps) => either.right(await deps.views.guilds.invite(fields.code)),
  decide: (state: invite.InviteState, { rights }, { cause }) =>
    invite.deleteInvite({ ...rights, key: cause.key }, state),
  waitsFor: 'views',
  answer: async ({ prepared }, { fields }, deps) => {
    // Of a repeat the views know it no more.
    const [first] =
      prepared === undefined ? await deps.log.readStream({ stream: inviteStream(fields.code), from: 1, limit: 1 }) : [];
    const row = prepared ?? asCreated(first);
    return row === undefined ? refused('unknownInvite') : either.right({ kind: 'invite', invite: row });
  },
});
