/** How well the people of a guild must be known before they may write in it. */
import { type MemberRights, type RoleRights, rolesOf } from './permissions.ts';
import { snowflakeTime } from './snowflake.ts';

/** Discord's levels that ask for time. 1 asks for an address and 4 for a telephone, which nobody has here; 4 asks for what 3 does. */
const [MEDIUM, HIGH] = [2, 3];
const ACCOUNT_MS = 5 * 60_000;
const MEMBER_MS = 10 * 60_000;

/** Whether somebody has to wait. Whoever has a role, and the owner, need not. @param now milliseconds since 1970 */
export const isTooNew = (
  guild: { readonly ownerId: string; readonly verificationLevel: number; readonly roles: readonly RoleRights[] },
  member: MemberRights & { readonly joinedTime: number },
  now: number,
): boolean => {
  const { verificationLevel, ownerId } = guild;
  if (verificationLevel < MEDIUM || member.userId === ownerId || rolesOf(guild, member).length > 0) return false;
  const isYoung = now - snowflakeTime(member.userId) < ACCOUNT_MS;
  return isYoung || (verificationLevel >= HIGH && now - member.joinedTime < MEMBER_MS);
};
