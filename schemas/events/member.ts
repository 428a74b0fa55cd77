/** Events of `member-<guild>_<user>`. */
import * as t from 'io-ts';

const Membership = t.type({ guildId: t.string, userId: t.string });
export const MemberJoined = t.intersection([Membership, t.type({ invite: t.union([t.string, t.null]) })]);
export const MemberLeft = Membership;
