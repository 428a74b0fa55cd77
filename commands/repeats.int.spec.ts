/** Every command under an id that was used before: the same one is carried out once, another one is refused. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { Instance } from '../test/support/write-side.ts';
import type { CommandType } from './features/index.ts';
import { commands } from './features/index.ts';
import { refusal, right } from './testing.ts';

interface Repeat {
  readonly by: string;
  readonly once: object;
  /** What other commands of the same stream differ in; or why there are none. */
  readonly others: readonly object[] | 'all its fields name its stream' | 'no key is kept';
}

let instance: Instance;
/** Owns the guild and administers the server. */
let ann: string;
let ben: string;
let guild_id: string;
let channel_id: string;
const NAMES_STREAM = 'all its fields name its stream';

beforeAll(async () => {
  instance = await Instance.open();
  ann = await instance.register('ann');
  ben = await instance.register('ben');
  ({ id: guild_id, channel: channel_id } = await instance.guild(ann));
  await instance.join(ann, channel_id, ben);
});
afterAll(() => instance.close());

let people = 0;
const somebody = async (): Promise<string> => {
  people += 1;
  return instance.register(`person${people}`);
};
const someMember = async (): Promise<string> => {
  const userId = await somebody();
  await instance.join(ann, channel_id, userId);
  return userId;
};
const someMessage = async (by = ann): Promise<string> =>
  (await instance.do(by, 'message.send', { channel_id, content: 'x' })).id;
const someReport = async (): Promise<string> => {
  const message_id = await someMessage(await someMember());
  return (await instance.do(ben, 'message.report', { channel_id, message_id, kind: 'spam' })).id;
};
const someRole = async (name = 'role'): Promise<string> =>
  (await instance.do(ann, 'role.create', { guild_id, name })).id;
const someChannel = async (): Promise<string> =>
  (await instance.do(ann, 'channel.create', { guild_id, name: 'some' })).id;
const someThread = async (): Promise<string> =>
  (await instance.do(ann, 'thread.create', { channel_id, name: 'thread', type: 11 })).id;
const someInvite = async (): Promise<string> => (await instance.do(ann, 'invite.create', { channel_id })).code;
/** A group of Ann's with the first two of four people, who share a guild with her that pauses nothing. */
const someGroup = async () => {
  const { channel } = await instance.guild(ann);
  const others = await Promise.all([1, 2, 3, 4].map(somebody));
  await instance.join(ann, channel, ...others);
  const group = await instance.do(ann, 'dm.create', { recipients: others.slice(0, 2) });
  return { channel_id: group.id as string, others };
};
const someBot = async (): Promise<string> => (await instance.do(ann, 'application.create', { name: 'robot' })).id;
const reacted = async (emojis: readonly string[], by = ann): Promise<string> => {
  const message_id = await someMessage();
  for (const emoji of emojis) await instance.do(by, 'reaction.add', { channel_id, message_id, emoji });
  return message_id;
};
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

const onMember = async (once: object, others: readonly object[]): Promise<Repeat> => ({
  ...{ by: ann, once: { guild_id, user_id: await someMember(), ...once }, others },
});

/** By the type of the command. */
const repeats: Record<CommandType, () => Promise<Repeat>> = {
  'message.send': async () => ({
    by: ann,
    once: { channel_id, content: 'one' },
    others: [
      { content: 'two' },
      { flags: 4 },
      { embeds: [{ title: 'e' }] },
      { message_reference: { message_id: await someMessage() } },
    ],
  }),
  'message.report': async () => ({
    by: ben,
    once: { channel_id, message_id: await someMessage(), kind: 'spam' },
    others: [{ kind: 'other' }, { text: 'also' }],
  }),
  'report.handle': async () => ({
    by: ann,
    once: { guild_id, report_id: await someReport(), state: 'answered' },
    others: [{ state: 'closed' }, { note: 'also' }],
  }),
  'report.handle-as-administrator': async () => ({
    by: ann,
    once: { report_id: await someReport(), state: 'answered' },
    others: [{ state: 'closed' }, { note: 'also' }],
  }),
  'message.edit': async () => ({
    by: ann,
    once: { channel_id, message_id: await someMessage(), content: 'one' },
    others: [{ content: 'two' }, { embeds: [] }, { message_id: await someMessage() }],
  }),
  'message.delete': async () => ({
    by: ann,
    once: { channel_id, message_id: await someMessage() },
    others: [{ message_id: await someMessage() }],
  }),
  'message.bulk-delete': async () => {
    const [a, b, c] = [await someMessage(), await someMessage(), await someMessage()];
    return { by: ann, once: { channel_id, messages: [a, b] }, others: [{ messages: [a, c] }, { messages: [a, b, c] }] };
  },
  'reaction.add': async () => ({
    by: ann,
    once: { channel_id, message_id: await someMessage(), emoji: '👍' },
    others: [{ emoji: '🎉' }, { message_id: await someMessage() }],
  }),
  'reaction.remove': async () => ({
    by: ann,
    once: { channel_id, message_id: await reacted(['👍', '🎉']), emoji: '👍' },
    others: [{ emoji: '🎉' }, { message_id: await reacted(['👍']) }],
  }),
  'reaction.remove-other': async () => ({
    by: ann,
    once: { channel_id, message_id: await reacted(['👍', '🎉'], ben), emoji: '👍', user_id: ben },
    others: [{ emoji: '🎉' }, { user_id: ann }],
  }),
  'reaction.clear': async () => ({
    by: ann,
    once: { channel_id, message_id: await reacted(['👍']) },
    others: [{ message_id: await reacted(['👍']) }],
  }),
  'reaction.clear-emoji': async () => ({
    by: ann,
    once: { channel_id, message_id: await reacted(['👍', '🎉']), emoji: '👍' },
    others: [{ emoji: '🎉' }],
  }),
  'message.pin': async () => ({
    by: ann,
    once: { channel_id, message_id: await someMessage() },
    others: [{ message_id: await someMessage() }],
  }),
  'message.unpin': async () => {
    const [message_id, other] = [await someMessage(), await someMessage()];
    for (const one of [message_id, other]) await instance.do(ann, 'message.pin', { channel_id, message_id: one });
    return { by: ann, once: { channel_id, message_id }, others: [{ message_id: other }] };
  },
  'channel.read': async () => ({
    ...{ by: ben, once: { channel_id, message_id: await someMessage() }, others: 'no key is kept' },
  }),
  'channel.read-many': async () => ({
    by: ben,
    once: { read_states: [{ channel_id, message_id: await someMessage() }] },
    others: 'no key is kept',
  }),
  'typing.start': async () => ({ by: ann, once: { channel_id }, others: 'no key is kept' }),
  'invite.create': async () => ({
    by: ann,
    once: { channel_id, max_uses: 5 },
    others: [{ max_uses: 6 }, { max_age: 60 }, { max_age: 86_400 }],
  }),
  'invite.delete': async () => ({ by: ann, once: { code: await someInvite() }, others: NAMES_STREAM }),
  'guild.join': async () => ({
    by: await somebody(),
    once: { code: await someInvite() },
    others: [{ code: await someInvite() }],
  }),
  'guild.create': async () => ({ by: ann, once: { name: 'One' }, others: [{ name: 'Two' }] }),
  'guild.edit': async () => ({
    by: ann,
    once: { guild_id, description: 'one' },
    others: [{ description: 'two' }, { name: 'Other' }, { description: undefined, owner_id: ben }],
  }),
  'guild.delete': async () => ({
    ...{ by: ann, once: { guild_id: (await instance.guild(ann)).id }, others: NAMES_STREAM },
  }),
  'guild.pause': async () => ({
    by: ann,
    once: { guild_id, dms_disabled_until: inMinutes(5) },
    others: [{ dms_disabled_until: inMinutes(6) }, { dms_disabled_until: null }],
  }),
  'guild.join-public': async () => {
    const open = await instance.guild(ann);
    await instance.do(ann, 'guild.edit', { guild_id: open.id, features: ['DISCOVERABLE'] });
    return { by: await somebody(), once: { guild_id: open.id }, others: NAMES_STREAM };
  },
  'guild.leave': async () => ({ by: await someMember(), once: { guild_id }, others: NAMES_STREAM }),
  'channel.create': async () => ({
    by: ann,
    once: { guild_id, name: 'one' },
    others: [{ name: 'two' }, { topic: 't' }, { type: 4 }],
  }),
  'channel.edit': async () => ({
    by: ann,
    once: { channel_id: await someChannel(), topic: 'one' },
    others: [{ topic: 'two' }, { nsfw: true }, { permission_overwrites: [] }],
  }),
  'channel.delete': async () => ({ by: ann, once: { channel_id: await someChannel() }, others: NAMES_STREAM }),
  'channel.move': async () => {
    const id = await someChannel();
    return {
      by: ann,
      once: { guild_id, channels: [{ id, position: 5 }] },
      others: [{ channels: [{ id, position: 6 }] }, { channels: [{ id, position: 5, lock_permissions: true }] }],
    };
  },
  'thread.begin': async () => ({
    by: ann,
    once: { channel_id, message_id: await someMessage(), name: 'one' },
    others: [{ name: 'two' }, { auto_archive_duration: 60 }],
  }),
  'thread.create': async () => ({
    by: ann,
    once: { channel_id, name: 'one', type: 11 },
    others: [{ name: 'two' }, { type: 12 }, { auto_archive_duration: 60 }, { invitable: false }],
  }),
  'thread.join': async () => ({ by: ben, once: { channel_id: await someThread() }, others: NAMES_STREAM }),
  'thread.leave': async () => ({ by: ann, once: { channel_id: await someThread() }, others: NAMES_STREAM }),
  'thread.member.add': async () => ({
    by: ann,
    once: { channel_id: await someThread(), user_id: ben },
    others: [{ user_id: await someMember() }],
  }),
  'thread.member.remove': async () => {
    const [thread, other] = [await someThread(), await someMember()];
    for (const user_id of [ben, other]) await instance.do(ann, 'thread.member.add', { channel_id: thread, user_id });
    return { by: ann, once: { channel_id: thread, user_id: ben }, others: [{ user_id: other }] };
  },
  'role.create': async () => ({
    by: ann,
    once: { guild_id, name: 'one', hoist: true },
    others: [{ name: 'two' }, { hoist: undefined }, { color: 7 }],
  }),
  'role.edit': async () => ({
    by: ann,
    once: { guild_id, role_id: await someRole(), name: 'one' },
    others: [{ name: 'two' }, { color: null }, { role_id: await someRole() }],
  }),
  'role.move': async () => {
    const [id, other] = [await someRole(), await someRole()];
    return {
      by: ann,
      once: { guild_id, roles: [{ id, position: 5 }] },
      others: [{ roles: [{ id, position: 6 }] }, { roles: [{ id: other, position: 5 }] }],
    };
  },
  'role.delete': async () => ({
    by: ann,
    once: { guild_id, role_id: await someRole() },
    others: [{ role_id: await someRole() }],
  }),
  'member.edit': async () =>
    onMember({ nick: 'one' }, [
      { nick: 'two' },
      { nick: null },
      { roles: [await someRole()] },
      { nick: 'one', communication_disabled_until: inMinutes(5) },
    ]),
  'member.edit-own': async () => ({
    by: await someMember(),
    once: { guild_id, nick: 'one' },
    others: [{ nick: 'two' }, { nick: null }],
  }),
  'member.kick': async () => ({ ...(await onMember({}, [])), others: NAMES_STREAM }),
  'member.ban': () => onMember({}, [{ delete_message_seconds: 60 }, { delete_message_days: 1 }]),
  'member.unban': async () => {
    const user_id = await someMember();
    await instance.do(ann, 'member.ban', { guild_id, user_id });
    return { by: ann, once: { guild_id, user_id }, others: NAMES_STREAM };
  },
  'member.bulk-ban': async () => {
    const [a, b, c] = [await someMember(), await someMember(), await someMember()];
    return {
      by: ann,
      once: { guild_id, user_ids: [a, b] },
      others: [{ user_ids: [c] }, { user_ids: [a, c] }, { delete_message_seconds: 60 }],
    };
  },
  'member.role.add': async () => onMember({ role_id: await someRole() }, [{ role_id: await someRole() }]),
  'member.role.remove': async () => {
    const [user_id, role_id, other] = [await someMember(), await someRole(), await someRole()];
    for (const one of [role_id, other]) await instance.do(ann, 'member.role.add', { guild_id, user_id, role_id: one });
    return { by: ann, once: { guild_id, user_id, role_id }, others: [{ role_id: other }] };
  },
  'overwrite.set': async () => ({
    by: ann,
    once: { channel_id, overwrite_id: await someRole(), type: 0, allow: '64' },
    others: [{ allow: '0' }, { deny: '2048' }, { overwrite_id: await someRole() }],
  }),
  'overwrite.delete': async () => {
    const [overwrite_id, other] = [await someRole(), await someRole()];
    for (const one of [overwrite_id, other])
      await instance.do(ann, 'overwrite.set', { channel_id, overwrite_id: one, type: 0, allow: '64' });
    return { by: ann, once: { channel_id, overwrite_id }, others: [{ overwrite_id: other }] };
  },
  'bot.add': async () => ({
    by: ann,
    once: { guild_id, application_id: await someBot() },
    others: [{ application_id: await someBot() }, { permissions: '8' }],
  }),
  'dm.create': async () => ({ by: ann, once: { recipient_id: await somebody() }, others: NAMES_STREAM }),
  'recipient.add': async () => {
    const { channel_id, others } = await someGroup();
    return { by: ann, once: { channel_id, user_id: others[2] }, others: [{ user_id: others[3] }] };
  },
  'recipient.remove': async () => {
    const { channel_id, others } = await someGroup();
    return { by: others[0]!, once: { channel_id, user_id: others[0] }, others: [{ user_id: others[1] }] };
  },
  'user.edit': async () => ({
    by: await somebody(),
    once: { bio: 'one' },
    others: [{ bio: 'two' }, { bio: null }, { pronouns: 'they' }],
  }),
  'notifications.edit': async () => ({
    by: await someMember(),
    once: { guild_id, muted: true },
    others: [{ muted: false }, { message_notifications: 2 }, { channel_overrides: [{ channel_id, muted: true }] }],
  }),
  'relationship.set': async () => ({
    by: await somebody(),
    once: { user_id: ben, type: 1 },
    others: [{ type: 2 }],
  }),
  'relationship.delete': async () => {
    const by = await somebody();
    await instance.do(by, 'relationship.set', { user_id: ben });
    return { by, once: { user_id: ben }, others: NAMES_STREAM };
  },
  'application.create': async () => ({ by: ann, once: { name: 'robot' }, others: [{ name: 'other' }] }),
  'bot.reset': async () => ({ by: ann, once: { application_id: await someBot() }, others: NAMES_STREAM }),
  'administrator.name': async () => ({
    by: ann,
    once: { user_id: await somebody() },
    others: [{ user_id: await somebody() }],
  }),
  'administrator.remove': async () => {
    const [user_id, other] = [await somebody(), await somebody()];
    for (const one of [user_id, other]) await instance.do(ann, 'administrator.name', { user_id: one });
    return { by: ann, once: { user_id }, others: [{ user_id: other }] };
  },
  'user.disable': async () => ({ by: ann, once: { user_id: await somebody() }, others: NAMES_STREAM }),
  'user.enable': async () => {
    const user_id = await somebody();
    await instance.do(ann, 'user.disable', { user_id });
    return { by: ann, once: { user_id }, others: NAMES_STREAM };
  },
  'user.delete': async () => ({ by: ann, once: { user_id: await somebody() }, others: NAMES_STREAM }),
};

it.each(commands.map(({ type }) => type as CommandType))('%s', async (type) => {
  const { by, once, others } = await repeats[type]();
  const ask = (fields: object) => instance.ask(by, type, { ...once, ...fields } as never, { key: 'k' });
  const first = right(await ask({}));
  await instance.settled();
  const head = await instance.log.head();
  expect(right(await ask({})).sequence).toBe(first.sequence);
  if (typeof others === 'string') expect(await instance.log.head()).toBe(head);
  else expect([...(await Promise.all(others.map(ask)))].map(refusal)).toEqual(others.map(() => 'keyReused'));
  await instance.settled();
  expect(await instance.log.head()).toBe(head);
});

interface RefusedSince extends Omit<Repeat, 'others'> {
  /** After this the same thing would be refused, were it asked for the first time. */
  readonly since: () => Promise<unknown>;
  readonly why: string;
}

/** By what is asked for. */
const refusedSince: Record<string, () => Promise<RefusedSince & { readonly type: CommandType }>> = {
  'a group with somebody who has blocked its maker': async () => {
    const { others: recipients } = await someGroup();
    return {
      ...{ type: 'dm.create', by: ann, once: { recipients }, why: 'cannotMessageUser' },
      since: () => instance.do(recipients[0]!, 'relationship.set', { user_id: ann, type: 2 }),
    };
  },
  'an addition to a group of somebody who has blocked who asks': async () => {
    const { channel_id, others } = await someGroup();
    const user_id = others[2]!;
    return {
      ...{ type: 'recipient.add', by: ann, once: { channel_id, user_id }, why: 'cannotMessageUser' },
      since: async () => {
        await instance.do(user_id, 'recipient.remove', { channel_id, user_id });
        await instance.do(user_id, 'relationship.set', { user_id: ann, type: 2 });
      },
    };
  },
  'a setting of a guild with a channel that is deleted': async () => {
    const system_channel_id = await someChannel();
    return {
      ...{ type: 'guild.edit', by: ann, once: { guild_id, system_channel_id }, why: 'invalidForm' },
      since: () => instance.do(ann, 'channel.delete', { channel_id: system_channel_id }),
    };
  },
  'a channel with an overwrite for a role that is deleted': async () => {
    const role_id = await someRole();
    const once = { guild_id, name: 'one', permission_overwrites: [{ id: role_id, type: 0, allow: '64' }] };
    return {
      ...{ type: 'channel.create', by: ann, once, why: 'unknownRole' },
      since: () => instance.do(ann, 'role.delete', { guild_id, role_id }),
    };
  },
  'a bot that is banned': async () => {
    const bot = await someBot();
    return {
      ...{ type: 'bot.add', by: ann, once: { guild_id, application_id: bot }, why: 'userBanned' },
      since: () => instance.do(ann, 'member.ban', { guild_id, user_id: bot }),
    };
  },
  'joining by an invite that is deleted': async () => {
    const [by, code] = [await somebody(), await someInvite()];
    return {
      ...{ type: 'guild.join', by, once: { code }, why: 'unknownInvite' },
      since: () => instance.do(ann, 'invite.delete', { code }),
    };
  },
  'joining by an invite with few uses a guild that is paused, and left': async () => {
    const [by, open] = [await somebody(), await instance.guild(ann)];
    const { code } = await instance.do(ann, 'invite.create', { channel_id: open.channel, max_uses: 2 });
    return {
      ...{ type: 'guild.join', by, once: { code }, why: 'invitesPaused' },
      since: async () => {
        await instance.do(by, 'guild.leave', { guild_id: open.id });
        await instance.do(ann, 'guild.pause', { guild_id: open.id, invites_disabled_until: inMinutes(5) });
      },
    };
  },
  'joining by an invite with few uses a guild that has banned them': async () => {
    const by = await somebody();
    const { code } = await instance.do(ann, 'invite.create', { channel_id, max_uses: 2 });
    return {
      ...{ type: 'guild.join', by, once: { code }, why: 'userBanned' },
      since: () => instance.do(ann, 'member.ban', { guild_id, user_id: by }),
    };
  },
  'joining a guild that is paused, and left': async () => {
    const [by, open] = [await somebody(), await instance.guild(ann)];
    await instance.do(ann, 'guild.edit', { guild_id: open.id, features: ['DISCOVERABLE'] });
    return {
      ...{ type: 'guild.join-public', by, once: { guild_id: open.id }, why: 'invitesPaused' },
      since: async () => {
        await instance.do(by, 'guild.leave', { guild_id: open.id });
        await instance.do(ann, 'guild.pause', { guild_id: open.id, invites_disabled_until: inMinutes(5) });
      },
    };
  },
  'an administrator whose account is deleted': async () => {
    const user_id = await somebody();
    return {
      ...{ type: 'administrator.name', by: ann, once: { user_id }, why: 'unknownUser' },
      since: () => instance.do(ann, 'user.delete', { user_id }),
    };
  },
  'an administrator less, who asked for it': async () => {
    const user_id = await somebody();
    await instance.do(ann, 'administrator.name', { user_id });
    return {
      ...{ type: 'administrator.remove', by: user_id, once: { user_id }, why: 'onlyAdministrator' },
      since: async () => undefined,
    };
  },
  'shutting an account that is deleted': async () => {
    const user_id = await somebody();
    return {
      ...{ type: 'user.disable', by: ann, once: { user_id }, why: 'unknownUser' },
      since: () => instance.do(ann, 'user.delete', { user_id }),
    };
  },
};

it.each(Object.keys(refusedSince))('%s: a repeat has its first answer, and nobody else gets it now', async (what) => {
  const { type, by, once, since, why } = await refusedSince[what]!();
  const ask = (key: string) => instance.ask(by, type, once as never, { key });
  const first = right(await ask('first'));
  await since();
  await instance.settled();
  expect(refusal(await ask('new'))).toBe(why);
  const head = await instance.log.head();
  expect(right(await ask('first'))).toMatchObject({ stream: first.stream, sequence: first.sequence });
  expect(await instance.log.head()).toBe(head);
});

const changes = commands.filter(({ route }) => ['PATCH', 'PUT', 'DELETE'].includes(route.method));

it.each(changes.map(({ type }) => type as CommandType))(
  '%s without a key, once more, changes nothing',
  async (type) => {
    const { by, once } = await repeats[type]();
    right(await instance.ask(by, type, once as never));
    await instance.settled();
    const head = await instance.log.head();
    await instance.ask(by, type, once as never);
    await instance.settled();
    expect(await instance.log.head()).toBe(head);
  },
);
