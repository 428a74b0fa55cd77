import { describe, expect, it } from 'vitest';
import { join, type MemberState, memberFold } from './member.ts';
import { ban, editMember, kick, type MemberPatch, unban } from './moderation.ts';
import { type MemberRights, Permission } from './permissions.ts';
import { ANN, BEN, guild as bare, events, GUILD, History, NOW, OWNER, only, refusal, types } from './testing.ts';

const role = (id: string, position: number, permissions = 0n) => ({
  ...{ id, name: id, permissions: `${permissions}`, color: 0, hoist: false, mentionable: false, position, botId: null },
});
const { kickMembers, banMembers, moderateMembers, manageNicknames, manageRoles, changeNickname } = Permission;
const ALL = kickMembers | banMembers | moderateMembers | manageNicknames | manageRoles;
const LOW = '10';
const MODERATOR = '20';
const HIGH = '30';
const ADMINISTRATOR = '5';
const guild = {
  ...bare,
  everyone: `${changeNickname}`,
  roles: [role(ADMINISTRATOR, 1, Permission.administrator), role(LOW, 2), role(MODERATOR, 3, ALL), role(HIGH, 4)],
};

const moderator: MemberRights = { userId: BEN, roles: [MODERATOR] };
const plain: MemberRights = { userId: BEN, roles: [] };
const owner: MemberRights = { userId: OWNER, roles: [] };

/** Ann's membership with these roles. */
const ann = (...roles: string[]) =>
  new History(memberFold, `member-${GUILD}_${ANN}`)
    .given((state) => join({ guildId: GUILD, userId: ANN, key: 'j', invite: null, announcedIn: null }, state), 'j')
    .record([{ type: 'member-roles-changed', data: { guildId: GUILD, userId: ANN, roles } }]);
const by = (actor: MemberRights, key = 'k') => ({ guild, actor, userId: ANN, key });
const banBy = (actor: MemberRights, key = 'k') => ({ ...by(actor, key), deleteMessageSeconds: 0 });
const edit = (actor: MemberRights, patch: MemberPatch, state: MemberState, formerNick: string | null = null) =>
  editMember({ ...by(actor), patch, formerNick }, state);

describe.each([
  ['kicking', kick],
  [
    'banning',
    (command: ReturnType<typeof by>, state: MemberState) => ban({ ...command, deleteMessageSeconds: 0 }, state),
  ],
])('%s', (_, decide) => {
  it.each([
    ['without the right', plain, [], 'missingPermissions'],
    ['somebody with the same highest role', moderator, [MODERATOR], 'missingPermissions'],
    ['somebody with a higher role', moderator, [LOW, HIGH], 'missingPermissions'],
    ['somebody with a lower role', moderator, [LOW], undefined],
    ['anybody, by the owner', owner, [HIGH], undefined],
    ['while timed out', { ...moderator, isTimedOut: true }, [], 'missingPermissions'],
  ] as const)('%s', (_name, actor, roles, expected) => {
    expect(refusal(decide(by(actor), ann(...roles).state))).toBe(expected);
  });

  it('the owner or oneself is refused', () => {
    const on = { guild, actor: moderator, key: 'k' };
    expect(refusal(decide({ ...on, userId: OWNER }, ann().state))).toBe('missingPermissions');
    expect(refusal(decide({ ...on, userId: BEN }, ann(MODERATOR).state))).toBe('missingPermissions');
  });
});

describe('a ban', () => {
  it('ends the membership, and no invite lets the person in until it is lifted', () => {
    const banned = ann().given((state) => ban(banBy(moderator, 'b'), state), 'b');
    expect(banned.state).toMatchObject({ banned: true, joined: false });
    expect(events(ban(banBy(moderator, 'b'), banned.state))).toEqual([]);
    expect(events(ban(banBy(moderator, 'other'), banned.state))).toEqual([]);
    const again = { guildId: GUILD, userId: ANN, key: 'j2', invite: 'code', announcedIn: null };
    expect(refusal(join(again, banned.state))).toBe('userBanned');
    expect(refusal(unban(by(plain), banned.state))).toBe('missingPermissions');
    const lifted = banned.given((state) => unban(by(moderator, 'u'), state), 'u');
    expect(refusal(unban(by(moderator, 'u2'), lifted.state))).toBe('unknownBan');
    expect(types(join(again, lifted.state))).toEqual(['member-joined']);
  });

  it('is possible of somebody who is no member', () => {
    expect(types(ban(banBy(moderator), memberFold.initial()))).toEqual(['member-banned']);
    expect(refusal(ban({ ...banBy(moderator), userId: OWNER }, memberFold.initial()))).toBe('missingPermissions');
  });
});

describe('a nickname', () => {
  it('is one’s own to change with CHANGE_NICKNAME, and of those below with MANAGE_NICKNAMES', () => {
    const self = { userId: ANN, roles: [] };
    expect(only(edit(self, { nick: 'Nan' }, ann().state))).toEqual({
      ...{ type: 'member-renamed', data: { guildId: GUILD, userId: ANN } },
      secret: { by: ANN, text: '{"nick":"Nan"}' },
    });
    expect(
      refusal(
        editMember(
          { ...by(self), guild: { ...guild, everyone: '0' }, patch: { nick: 'x' }, formerNick: null },
          ann().state,
        ),
      ),
    ).toBe('missingPermissions');
    expect(refusal(edit(plain, { nick: 'x' }, ann().state))).toBe('missingPermissions');
    expect(types(edit(moderator, { nick: 'x' }, ann(LOW).state))).toEqual(['member-renamed']);
    expect(refusal(edit(moderator, { nick: 'x' }, ann(HIGH).state))).toBe('missingPermissions');
    expect(events(edit(moderator, { nick: 'x' }, ann().state, 'x'))).toEqual([]);
  });
});

describe('a timeout', () => {
  const until = NOW + 1000;

  it('is for members below, and never for administrators', () => {
    expect(types(edit(moderator, { timedOutUntil: until }, ann(LOW).state))).toEqual(['member-timed-out']);
    expect(refusal(edit(plain, { timedOutUntil: until }, ann().state))).toBe('missingPermissions');
    expect(refusal(edit(moderator, { timedOutUntil: until }, ann(HIGH).state))).toBe('missingPermissions');
    expect(refusal(edit(owner, { timedOutUntil: until }, ann(ADMINISTRATOR).state))).toBe('missingPermissions');
    expect(refusal(edit({ userId: ANN, roles: [MODERATOR] }, { timedOutUntil: null }, ann(MODERATOR).state))).toBe(
      'missingPermissions',
    );
  });

  it('outlasts the membership', () => {
    const left = ann()
      .given((state) => edit(moderator, { timedOutUntil: until }, state), 'k')
      .given((state) => kick(by(moderator, 'k2'), state), 'k2');
    const again = join({ guildId: GUILD, userId: ANN, key: 'j2', invite: null, announcedIn: null }, left.state);
    expect(types(again)).toEqual(['member-joined', 'member-timed-out']);
  });
});

describe('several changes at once', () => {
  it('are all made, or none of them', () => {
    const patch = { roles: [LOW], nick: 'Nan', timedOutUntil: null };
    expect(types(edit(moderator, patch, ann().state))).toEqual(['member-roles-changed', 'member-renamed']);
    expect(refusal(edit(moderator, { ...patch, roles: [HIGH] }, ann().state))).toBe('missingPermissions');
    expect(refusal(edit(moderator, { ...patch, roles: ['404'] }, ann().state))).toBe('unknownRole');
    expect(refusal(edit(moderator, patch, memberFold.initial()))).toBe('unknownMember');
    // What is not changed asks for nothing, whoever has it, and roles that are deleted since are dropped.
    expect(events(edit(moderator, { roles: [HIGH] }, ann(HIGH).state))).toEqual([]);
    expect(only(edit(moderator, { roles: [LOW, HIGH] }, ann(HIGH, '999').state)).data).toMatchObject({
      roles: [LOW, HIGH],
    });
    // discord.js names @everyone with the others.
    expect(only(edit(moderator, { roles: [GUILD, LOW] }, ann().state)).data).toMatchObject({ roles: [LOW] });
  });
});
