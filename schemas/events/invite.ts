/** Events of `invite-<code>`. Only capped invites record who redeemed them: the cap needs a total order, nothing else does. */
import * as t from 'io-ts';

export const InviteCreated = t.type({
  code: t.string,
  guildId: t.string,
  channelId: t.string,
  inviterId: t.string,
  /** 0: any number. */
  maxUses: t.number,
  /** Milliseconds since 1970; null: never. */
  expiresAt: t.union([t.number, t.null]),
});
export const InviteRedeemed = t.type({ code: t.string, guildId: t.string, userId: t.string });
