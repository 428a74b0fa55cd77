/**
 * One conversation of a few hundred requests and frames, compared with its recording. A refactoring must not change it.
 * It covers every route, command and dispatch, and every foreseeable refusal.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD } from '../support/api.ts';
import { Conversation, EVERYTHING, normalised } from '../support/conversation.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { everyRoute, filled, type RouteShape } from '../support/routes.ts';
import { LIMITS_OFF } from '../support/server.ts';

/** Windows of an hour, so that what is left does not depend on the speed of the tests. */
const ENV = {
  ...LIMITS_OFF,
  PARLEY_HEARTBEAT_MS: '600000',
  PARLEY_LIMIT_LOGIN: '4/3600',
  PARLEY_LIMIT_BOT_SEND: '4/3600',
  PARLEY_LIMIT_DM_CREATE: '12/3600',
};

const VIEW_CHANNEL = String(1n << 10n);
const SEND_MESSAGES = String(1n << 11n);
const READ_HISTORY = String(1n << 16n);
/** Well formed, but the id of nothing. */
const NOTHING = '4194304000001';
const THUMB = encodeURIComponent('👍');
const PARROT = encodeURIComponent('🦜');
const PEOPLE = ['ada', 'bob', 'parrot'] as const;

interface World {
  readonly say: Conversation;
  readonly url: string;
  /** Ids of accounts, guilds, channels, messages and invites, by name. */
  readonly ids: Record<string, string>;
}

const signsUp = async ({ say, ids }: World): Promise<void> => {
  say.about('nobody is signed in');
  for (const path of ['//health', '//ready', '//nothing', '//', '/gateway', '//api/v10/gateway'])
    await say.ask(undefined, 'GET', path);
  for (const [method, path] of [
    ['HEAD', '//docs'],
    ['POST', '//openapi.json'],
    ['DELETE', '/guilds'],
    ['OPTIONS', '/users/@me'],
    ['GET', '/users/@me'],
    ['GET', '/channels/1/messages'],
    ['POST', '/guilds'],
    ['GET', '/%ff'],
    ['GET', '//api/v9/users/@me'],
  ] as const)
    await say.ask(undefined, method, path);
  for (const authorization of ['Bearer x.y.z', 'Bot x.y', 'Basic YTpi'])
    await say.ask(undefined, 'GET', '/users/@me', { headers: { authorization } });

  say.about('people register');
  for (const username of ['ada', 'bob', 'cleo', 'dora']) {
    const body = { username, password: PASSWORD, ...(username === 'ada' ? { global_name: 'Ada L.' } : {}) };
    const { body: answer } = await say.ask(undefined, 'POST', '/auth/register', { body });
    say.knows(username, `Bearer ${answer.token}`);
    ids[username] = answer.user.id;
  }
  for (const body of [
    { username: 'ADA', password: PASSWORD },
    { username: 'a', password: 'short' },
    { username: 'e v e' },
    {},
    [],
  ])
    await say.ask(undefined, 'POST', '/auth/register', { body });
  for (const [bytes, type] of [
    ['{"username": ', 'application/json'],
    ['username=eve', 'application/x-www-form-urlencoded'],
    ['{"__proto__": {}}', 'application/json'],
    ['', 'application/json'],
    [JSON.stringify({ username: 'x'.repeat(1_060_000) }), 'application/json'],
  ] as const)
    await say.ask(undefined, 'POST', '/auth/register', { bytes, headers: { 'content-type': type } });

  say.about('people sign in, until that was too often');
  for (const body of [
    { username: 'dora', password: PASSWORD },
    { login: 'Dora', password: PASSWORD },
    { username: 'dora', password: 'wrong horse battery' },
    { password: PASSWORD },
    { username: 'nobody', password: PASSWORD },
    { username: 'dora', password: PASSWORD },
    { username: 'dora', password: PASSWORD },
  ]) {
    const { body: answer } = await say.ask(undefined, 'POST', '/login', { body });
    if (answer.token !== undefined) say.secrets.set(answer.token, 'token of dora');
  }
  await say.ask('ada', 'GET', '/users/@me', { headers: { 'x-request-id': 'a-request-of-ada' } });
  await say.ask('bob', 'GET', '//api/v10/users/@me');
  await say.ask('bob', 'GET', `/users/${ids.ada}`);
  await say.ask('bob', 'GET', `/users/${NOTHING}`);
  await say.ask('bob', 'GET', '/users/0x10');
  await say.ask('bob', 'GET', '/gateway/bot');
};

const makesAGuild = async ({ say, ids }: World): Promise<void> => {
  say.about('ada listens and makes a guild');
  await say.listens('ada');
  const { body: guild } = await say.ask('ada', 'POST', '/guilds', { body: { name: 'First light' } });
  ids.guild = guild.id;
  await say.hears('ada', 'GUILD_CREATE');
  // Who joins Bob's guild is said there; here it would stand between what is recorded.
  await say.ask('ada', 'PATCH', `/guilds/${guild.id}`, { body: { system_channel_flags: 1 } });
  await say.hears('ada', 'GUILD_UPDATE');
  const { body: channels } = await say.ask('ada', 'GET', `/guilds/${guild.id}/channels`);
  ids.general = channels[0].id;
  for (const body of [{ name: 'x' }, { name: 7 }, {}, 'text']) await say.ask('ada', 'POST', '/guilds', { body });
  for (const path of ['', '/roles', '/members', '/channels', `/members/${ids.ada}`, `/members/${ids.bob}`])
    for (const who of ['ada', 'bob']) await say.ask(who, 'GET', `/guilds/${guild.id}${path}`);

  say.about('ada makes channels');
  const everyone = { id: guild.id, type: 0 };
  for (const [name, more] of [
    ['talk', { topic: 'Anything' }],
    ['staff', { permission_overwrites: [{ ...everyone, allow: '0', deny: VIEW_CHANNEL }] }],
    ['news', { type: 0, permission_overwrites: [{ ...everyone, allow: '0', deny: SEND_MESSAGES }] }],
    ['short', { permission_overwrites: [{ ...everyone, allow: '0', deny: READ_HISTORY }] }],
    [
      'board',
      {
        permission_overwrites: [
          { ...everyone, allow: '0', deny: VIEW_CHANNEL },
          { id: ids.bob, type: 1, allow: VIEW_CHANNEL, deny: '0' },
        ],
      },
    ],
  ] as const) {
    const { body } = await say.ask('ada', 'POST', `/guilds/${guild.id}/channels`, { body: { name, ...more } });
    ids[name] = body.id;
    await say.hears('ada', 'CHANNEL_CREATE');
  }
  for (const body of [{ name: '' }, { name: 'voice', type: 2 }, { name: 'x', permission_overwrites: [{ id: '1' }] }])
    await say.ask('ada', 'POST', `/guilds/${guild.id}/channels`, { body });
  await say.ask('ada', 'POST', `/guilds/${NOTHING}/channels`, { body: { name: 'nowhere' } });
  await say.ask('ada', 'GET', `/guilds/${guild.id}/channels`);
  await say.ask('ada', 'GET', `/channels/${ids.staff}`);
};

const invites = async ({ say, ids }: World): Promise<void> => {
  say.about('ada invites, and people join');
  const invite = async (name: string, body: object) => {
    const { body: made } = await say.ask('ada', 'POST', `/channels/${ids.general}/invites`, { body });
    say.secrets.set(made.code, `code ${name}`);
    ids[name] = made.code;
    await say.hears('ada', 'INVITE_CREATE');
  };
  await invite('open', { max_age: 0, max_uses: 0 });
  await invite('daily', {});
  await invite('capped', { max_age: 3600, max_uses: 1 });
  for (const body of [{ max_age: -1 }, { max_uses: 101 }, { max_age: 'day', max_uses: null }])
    await say.ask('ada', 'POST', `/channels/${ids.general}/invites`, { body });
  await say.ask('bob', 'POST', `/channels/${ids.general}/invites`, { body: {} });
  for (const code of [ids.open, ids.capped, 'nonsense', 'x']) await say.ask('bob', 'GET', `/invites/${code}`);

  await say.listens('bob');
  await say.ask('bob', 'POST', `/invites/${ids.open}`);
  await say.hears('bob', 'GUILD_CREATE');
  await say.hears('ada', 'GUILD_MEMBER_ADD');
  await say.ask('bob', 'POST', `/invites/${ids.open}`);
  await say.ask('cleo', 'POST', `/invites/${ids.capped}`);
  await say.hears(['ada', 'bob'], 'GUILD_MEMBER_ADD');
  await say.ask('cleo', 'POST', `/invites/${ids.capped}`);
  await say.ask('dora', 'POST', `/invites/${ids.capped}`);
  await say.ask('dora', 'GET', `/invites/${ids.capped}`);
  await say.ask('dora', 'POST', '/invites/nonsense');
  await say.ask('bob', 'GET', `/guilds/${ids.guild}/members?limit=1000`);
  await say.ask('bob', 'GET', `/guilds/${ids.guild}/members?limit=1&after=${ids.ada}`);
  await say.ask('bob', 'GET', `/guilds/${ids.guild}/members?limit=0`);
  for (const path of ['', '/roles', '/channels', `/members/${ids.cleo}`])
    await say.ask('bob', 'GET', `/guilds/${ids.guild}${path}`);
  await say.ask('bob', 'POST', `/guilds/${ids.guild}/channels`, { body: { name: 'mine' } });
  await say.ask('dora', 'POST', `/guilds/${ids.guild}/channels`, { body: { name: 'mine' } });
  for (const query of ['', '?limit=1', `?before=${NOTHING}`, `?after=${NOTHING}`, '?limit=201'])
    await say.ask('bob', 'GET', `/users/@me/guilds${query}`);
};

const bots = async ({ say, ids }: World): Promise<void> => {
  say.about('ada makes a bot and lets it in');
  const { body: application } = await say.ask('ada', 'POST', '/applications', { body: { name: 'parrot' } });
  say.knows('parrot', `Bot ${application.bot.token}`);
  ids.parrot = application.id;
  await say.ask('ada', 'POST', '/applications', { body: { name: 'p' } });
  await say.ask('bob', 'POST', `/guilds/${ids.guild}/bots`, { body: { application_id: ids.parrot } });
  await say.ask('ada', 'POST', `/guilds/${ids.guild}/bots`, { body: { application_id: NOTHING } });
  await say.ask('ada', 'POST', `/guilds/${ids.guild}/bots`, { body: { application_id: ids.parrot } });
  await say.hears(['ada', 'bob'], 'GUILD_MEMBER_UPDATE');
  // Whoever listens while it comes in may be shown it with its role already, or without.
  await say.listens('parrot');
  await say.ask('ada', 'POST', `/guilds/${ids.guild}/bots`, { body: { application_id: ids.parrot } });
  for (const path of ['/oauth2/applications/@me', '/applications/@me', `/applications/${ids.parrot}`])
    for (const who of ['parrot', 'ada', 'bob']) await say.ask(who, 'GET', path);
  for (const path of ['/users/@me', '/gateway/bot', '/users/@me/guilds']) await say.ask('parrot', 'GET', path);
  await say.ask('parrot', 'POST', '/applications', { body: { name: 'second' } });
  await say.ask('parrot', 'GET', '/events');
};

/** Everything over HTTP, with all three listening. */
const messages = async ({ say, ids }: World): Promise<void> => {
  const at = `/channels/${ids.general}/messages`;
  const traced = {
    'x-request-id': 'said-by-ada',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  };
  const posts = async (who: string, name: string, body: object) => {
    const headers = name === 'first' ? traced : {};
    const { body: message } = await say.ask(who, 'POST', at, { body, headers });
    ids[name] = message.id;
    await say.hears(PEOPLE, 'MESSAGE_CREATE');
  };
  say.about('people say things');
  await posts('ada', 'first', { content: 'hello' });
  await posts('bob', 'reply', { content: 'hello yourself', message_reference: { message_id: ids.first } });
  await posts('ada', 'mention', { content: `<@${ids.bob}> and @everyone, look`, nonce: 'n-1', enforce_nonce: true });
  await posts('bob', 'embed', { embeds: [{ title: 'A title', fields: [{ name: 'a', value: 'b' }] }], flags: 4 });
  await posts('bob', 'silent', { content: `<@${ids.ada}>`, allowed_mentions: { parse: [] }, nonce: 17, tts: false });
  await posts('ada', 'quiet', {
    content: 'quietly',
    message_reference: { message_id: ids.reply },
    allowed_mentions: { replied_user: false },
  });
  await posts('parrot', 'squawk', { content: 'squawk 🦜' });
  await posts('ada', 'doomed', { content: 'to be deleted' });
  await posts('bob', 'orphan', { content: 'answer to what goes', message_reference: { message_id: ids.doomed } });
  await posts('bob', 'unreplied', {
    content: 'answer to nothing',
    message_reference: { message_id: NOTHING, fail_if_not_exists: false },
  });

  say.about('what cannot be said');
  await say.ask('ada', 'POST', at, { body: { content: 'other words', nonce: 'n-1', enforce_nonce: true } });
  for (const body of [
    {},
    { content: '' },
    { content: 'x'.repeat(2001), embeds: 'none', nonce: 'n'.repeat(26) },
    { content: 7, message_reference: { message_id: 'x' }, allowed_mentions: { users: ['y'] } },
    { content: 'hello', message_reference: { message_id: NOTHING } },
    { embeds: Array.from({ length: 11 }, () => ({})) },
    { embeds: [{ title: 'x'.repeat(9000) }] },
  ])
    await say.ask('ada', 'POST', at, { body });
  await say.ask('dora', 'POST', at, { body: { content: 'let me in' } });
  await say.ask('bob', 'POST', `/channels/${ids.news}/messages`, { body: { content: 'news' } });
  await say.ask('bob', 'POST', `/channels/${ids.staff}/messages`, { body: { content: 'staff' } });
  await say.ask('ada', 'POST', at, { bytes: 'hello', headers: { 'content-type': 'text/plain' } });
  for (const _ of [1, 2, 3]) await say.ask('parrot', 'POST', at, { body: { content: 'again' } });
  for (const _ of [1, 2, 3]) await say.hears(PEOPLE, 'MESSAGE_CREATE');
  await say.ask('parrot', 'POST', at, { body: { content: 'once too often' } });

  say.about('messages are edited and deleted');
  await say.ask('ada', 'PATCH', `${at}/${ids.first}`, { body: { content: `hello <@${ids.bob}>` } });
  await say.hears(PEOPLE, 'MESSAGE_UPDATE');
  await say.ask('bob', 'PATCH', `${at}/${ids.embed}`, { body: { content: 'with words', embeds: [] } });
  await say.hears(PEOPLE, 'MESSAGE_UPDATE');
  await say.ask('bob', 'PATCH', `${at}/${ids.first}`, { body: { content: 'not mine' } });
  await say.ask('ada', 'PATCH', `${at}/${ids.first}`, { body: { content: '' } });
  await say.ask('ada', 'PATCH', `${at}/${NOTHING}`, { body: { content: 'nothing' } });
  await say.ask('bob', 'DELETE', `${at}/${ids.first}`);
  await say.ask('ada', 'DELETE', `${at}/${ids.doomed}`);
  await say.hears(PEOPLE, 'MESSAGE_DELETE');
  await say.ask('ada', 'DELETE', `${at}/${ids.silent}`);
  await say.hears(PEOPLE, 'MESSAGE_DELETE');
  for (const who of ['ada', 'bob']) await say.ask(who, 'DELETE', `${at}/${ids.doomed}`);
  await say.ask('ada', 'PATCH', `${at}/${ids.doomed}`, { body: { content: 'gone' } });

  say.about('people report');
  for (const kind of ['spam', 'other', 'rude'])
    await say.ask('bob', 'POST', `${at}/${ids.embed}/report`, { body: { kind, text: 'what is this?' } });
  await say.ask('bob', 'POST', `${at}/${ids.first}/report`, { body: { kind: 'spam', text: 'said twice' } });
  await say.ask('bob', 'GET', '/users/@me/reports');
  for (const who of ['ada', 'bob']) {
    await say.ask(who, 'GET', `/guilds/${ids.guild}/reports`);
    await say.ask(who, 'GET', '/reports?state=open');
  }

  say.about('people react');
  for (const [who, emoji] of [
    ['ada', THUMB],
    ['bob', THUMB],
    ['parrot', PARROT],
  ] as const) {
    await say.ask(who, 'PUT', `${at}/${ids.first}/reactions/${emoji}/@me`);
    await say.hears(PEOPLE, 'MESSAGE_REACTION_ADD');
  }
  await say.ask('ada', 'PUT', `${at}/${ids.first}/reactions/${THUMB}/@me`);
  await say.ask('ada', 'PUT', `${at}/${ids.first}/reactions/smile/@me`);
  await say.ask('ada', 'PUT', `${at}/${ids.doomed}/reactions/${THUMB}/@me`);
  await say.ask('dora', 'PUT', `${at}/${ids.first}/reactions/${THUMB}/@me`);
  for (const query of ['', '?limit=1', `?after=${ids.ada}`, '?limit=101'])
    await say.ask('bob', 'GET', `${at}/${ids.first}/reactions/${THUMB}${query}`);
  await say.ask('bob', 'GET', `${at}/${ids.doomed}/reactions/${THUMB}`);
  await say.ask('bob', 'DELETE', `${at}/${ids.first}/reactions/${THUMB}/@me`);
  await say.hears(PEOPLE, 'MESSAGE_REACTION_REMOVE');
  await say.ask('bob', 'DELETE', `${at}/${ids.first}/reactions/${THUMB}/@me`);

  say.about('people read');
  for (const query of [
    '',
    '?limit=2',
    `?before=${ids.embed}`,
    `?after=${ids.embed}&limit=3`,
    `?around=${ids.mention}&limit=4`,
    `?around=${ids.doomed}&limit=3`,
    '?before_sequence=5',
    '?after_sequence=5&limit=2',
    '?after_sequence=0&limit=1',
    '?before_sequence=9999&limit=1',
    `?before=${ids.embed}&after=${ids.first}`,
    '?limit=101',
    '?before=x',
  ])
    await say.ask('bob', 'GET', `${at}${query}`);
  for (const name of ['first', 'reply', 'orphan', 'doomed', 'unreplied'])
    await say.ask('bob', 'GET', `${at}/${ids[name]}`);
  for (const channel of [ids.short, ids.staff, NOTHING]) {
    await say.ask('bob', 'GET', `/channels/${channel}`);
    await say.ask('bob', 'GET', `/channels/${channel}/messages`);
    await say.ask('bob', 'GET', `/channels/${channel}/messages/${ids.first}`);
  }
  await say.ask('parrot', 'GET', `${at}?limit=3`);
  await say.ask('dora', 'GET', at);

  say.about('people have read');
  for (const who of ['ada', 'bob', 'cleo', 'dora']) await say.ask(who, 'GET', '/users/@me/read-states');
  // Bob has said something since, so this moves nothing.
  await say.ask('bob', 'POST', `${at}/${ids.embed}/ack`, { body: {} });
  await say.ask('bob', 'POST', `${at}/${ids.first}/ack`, { body: { token: null } });
  await say.ask('bob', 'POST', `${at}/${NOTHING}/ack`, { body: {} });
  await say.ask('dora', 'POST', `${at}/${ids.first}/ack`, { body: {} });
  await say.ask('bob', 'GET', '/users/@me/read-states');

  say.about('people type');
  await say.ask('bob', 'POST', `/channels/${ids.general}/typing`);
  await say.hears(PEOPLE, 'TYPING_START');
  await say.ask('bob', 'POST', `/channels/${ids.news}/typing`);
  await say.ask('dora', 'POST', `/channels/${ids.general}/typing`);
};

const directly = async ({ say, ids }: World): Promise<void> => {
  say.about('two people talk directly');
  const open = (who: string, recipient: string | undefined) =>
    say.ask(who, 'POST', '/users/@me/channels', { body: { recipient_id: recipient } });
  const { body: channel } = await open('ada', ids.bob);
  ids.direct = channel.id;
  await say.hears(['ada', 'bob'], 'CHANNEL_CREATE');
  await open('bob', ids.ada);
  await open('ada', ids.ada);
  await open('ada', NOTHING);
  await open('ada', 'x');
  const at = `/channels/${channel.id}`;
  const { body: message } = await say.ask('ada', 'POST', `${at}/messages`, { body: { content: 'between us' } });
  await say.hears(['ada', 'bob'], 'MESSAGE_CREATE');
  await say.ask('bob', 'PUT', `${at}/messages/${message.id}/reactions/${THUMB}/@me`);
  await say.hears(['ada', 'bob'], 'MESSAGE_REACTION_ADD');
  await say.ask('bob', 'DELETE', `${at}/messages/${message.id}/reactions/${THUMB}/@me`);
  await say.hears(['ada', 'bob'], 'MESSAGE_REACTION_REMOVE');
  await say.ask('ada', 'PATCH', `${at}/messages/${message.id}`, { body: { content: 'between the two of us' } });
  await say.hears(['ada', 'bob'], 'MESSAGE_UPDATE');
  await say.ask('bob', 'POST', `${at}/typing`);
  await say.hears(['ada', 'bob'], 'TYPING_START');
  await say.ask('bob', 'DELETE', `${at}/messages/${message.id}`);
  await say.ask('bob', 'POST', `${at}/invites`, { body: {} });
  await say.ask('bob', 'GET', `${at}/messages`);
  for (const who of ['ada', 'bob', 'cleo', 'parrot']) await say.ask(who, 'GET', '/users/@me/channels');
  await say.ask('cleo', 'GET', at);

  say.about('some talk in a group');
  const gather = (...recipients: readonly (string | undefined)[]) =>
    say.ask('ada', 'POST', '/users/@me/channels', { body: { recipients } });
  const { body: group } = await gather(ids.bob, ids.cleo);
  ids.group = group.id;
  await say.hears(['ada', 'bob'], 'CHANNEL_CREATE');
  await gather(ids.bob, ids.dora);
  const withCleo = `/channels/${group.id}/recipients/${ids.cleo}`;
  await say.ask('bob', 'DELETE', withCleo);
  await say.ask('ada', 'DELETE', withCleo);
  await say.hears(['ada', 'bob'], 'CHANNEL_RECIPIENT_REMOVE');
  await say.hears(['ada', 'bob'], 'MESSAGE_CREATE');
  await say.ask('cleo', 'PUT', withCleo);
  await say.ask('bob', 'PUT', withCleo);
  await say.hears(['ada', 'bob'], 'CHANNEL_RECIPIENT_ADD');
  await say.hears(['ada', 'bob'], 'MESSAGE_CREATE');
  await say.ask('bob', 'PATCH', `/channels/${group.id}`, { body: { name: 'The three' } });
  await say.hears(['ada', 'bob'], 'CHANNEL_UPDATE');
  await say.hears(['ada', 'bob'], 'MESSAGE_CREATE');
  await say.ask('bob', 'PATCH', `/channels/${group.id}`, { body: { owner: ids.bob } });
  await say.ask('bob', 'DELETE', `/channels/${group.id}`);
  await say.hears('bob', 'CHANNEL_DELETE');
  await say.hears('ada', 'CHANNEL_RECIPIENT_REMOVE');
  await say.hears('ada', 'MESSAGE_CREATE');
  await say.ask('bob', 'GET', `/channels/${group.id}`);
  for (const who of ['ada', 'bob']) await say.ask(who, 'GET', '/users/@me/channels');
  await say.ask('bob', 'GET', '/users/@me/read-states');
};

/** Every op 100, with its results and refusals. */
const commands = async ({ say, ids }: World): Promise<void> => {
  const general = { channel_id: ids.general };
  const nowhere = { channel_id: NOTHING, message_id: NOTHING };
  say.about('commands over the socket');
  const sent = await say.command('ada', {
    id: 'c-1',
    type: 'message.send',
    ...general,
    content: 'by socket',
    nonce: 5,
  });
  await say.hears(PEOPLE, 'MESSAGE_CREATE');
  const message = { ...general, message_id: sent.result.id };
  await say.command('ada', { id: 'c-1', type: 'message.send', ...general, content: 'by socket', nonce: 5 });
  await say.command('ada', { id: 'c-1', type: 'message.send', ...general, content: 'something else' });
  await say.command('ada', { id: 'c-2', type: 'message.edit', ...message, content: 'by socket, edited' });
  await say.hears(PEOPLE, 'MESSAGE_UPDATE');
  await say.command('bob', { id: 'c-3', type: 'reaction.add', ...message, emoji: '🎈' });
  await say.hears(PEOPLE, 'MESSAGE_REACTION_ADD');
  await say.command('bob', { id: 'c-4', type: 'reaction.remove', ...message, emoji: '🎈' });
  await say.hears(PEOPLE, 'MESSAGE_REACTION_REMOVE');
  await say.command('bob', { id: 'c-5', type: 'channel.read', ...message });
  await say.hears('bob', 'MESSAGE_ACK');
  await say.command('ada', { id: 'c-6', type: 'typing.start', ...general });
  await say.hears(PEOPLE, 'TYPING_START');
  await say.command('ada', { id: 'c-7', type: 'message.delete', ...message });
  await say.hears(PEOPLE, 'MESSAGE_DELETE');
  const board = { channel_id: ids.board, content: 'for the board' };
  await say.command('ada', { id: 'c-8', type: 'message.send', ...board });
  await say.hears(['ada', 'bob'], 'MESSAGE_CREATE');

  const guild = await say.command('bob', { id: 'c-9', type: 'guild.create', name: 'Of bob' });
  await say.hears('bob', 'GUILD_CREATE');
  const made = { guild_id: guild.result.id };
  // Refused for now: the command's type is taken for the channel's, which can only be 0.
  await say.command('bob', { id: 'c-10', type: 'channel.create', ...made, name: 'more', topic: 'More' });
  const more = { name: 'more', topic: 'More' };
  const channel = await say.ask('bob', 'POST', `/guilds/${made.guild_id}/channels`, { body: more });
  await say.hears('bob', 'CHANNEL_CREATE');
  const invited = { channel_id: channel.body.id, max_uses: 2 };
  const invite = await say.command('bob', { id: 'c-11', type: 'invite.create', ...invited });
  say.secrets.set(invite.result.code, 'code of bob');
  await say.hears('bob', 'INVITE_CREATE');
  const announces = (system_channel_flags: number) =>
    say.ask('bob', 'PATCH', `/guilds/${made.guild_id}`, { body: { system_channel_flags } });
  // Whoever comes in may be shown the guild with the message about it already, or without.
  await announces(1);
  await say.hears('bob', 'GUILD_UPDATE');
  await say.command('ada', { id: 'c-12', type: 'guild.join', code: invite.result.code });
  await say.hears('ada', 'GUILD_CREATE');
  await say.hears('bob', 'GUILD_MEMBER_ADD');
  await announces(0);
  await say.hears(['ada', 'bob'], 'GUILD_UPDATE');
  const app = await say.command('bob', { id: 'c-13', type: 'application.create', name: 'finch' });
  say.secrets.set(app.result.bot.token, 'token of finch');
  await say.command('bob', { id: 'c-14', type: 'bot.add', ...made, application_id: app.result.id });
  await say.hears(['ada', 'bob'], 'GUILD_MEMBER_ADD');
  await say.hears(['ada', 'bob'], 'MESSAGE_CREATE');
  await say.command('ada', { id: 'c-15', type: 'guild.leave', ...made });
  await say.hears('ada', 'GUILD_DELETE');
  await say.hears('bob', 'GUILD_MEMBER_REMOVE');
  await say.command('bob', { id: 'c-16', type: 'dm.create', recipient_id: ids.cleo });
  await say.hears('bob', 'CHANNEL_CREATE');
  await say.command('bob', { id: 'c-16', type: 'dm.create', recipient_id: ids.cleo });

  say.about('commands that are refused');
  for (const d of [
    { type: 'message.send', ...nowhere, content: 'x' },
    { type: 'message.send', ...general },
    { type: 'message.send', ...general, content: 7, nonce: {} },
    { type: 'message.edit', ...general, message_id: ids.first, content: 'not mine' },
    { type: 'message.edit', ...nowhere, content: 'x' },
    { type: 'message.delete', ...general, message_id: ids.first },
    { type: 'message.delete', ...nowhere },
    { type: 'reaction.add', ...general, message_id: ids.first, emoji: 'smile' },
    { type: 'reaction.add', ...nowhere, emoji: '👍' },
    { type: 'reaction.remove', ...nowhere, emoji: '👍' },
    { type: 'channel.read', ...nowhere },
    { type: 'typing.start', channel_id: ids.news },
    { type: 'typing.start', ...nowhere },
    { type: 'guild.create', name: '' },
    { type: 'guild.join', code: 'nonsense' },
    { type: 'guild.leave', ...made },
    { type: 'guild.leave', guild_id: NOTHING },
    { type: 'channel.create', guild_id: ids.guild, name: 'mine' },
    { type: 'invite.create', ...nowhere },
    { type: 'invite.create', ...general, max_age: -1 },
    { type: 'dm.create', recipient_id: ids.bob },
    { type: 'dm.create', recipient_id: NOTHING },
    { type: 'bot.add', guild_id: ids.guild, application_id: app.result.id },
    { type: 'application.create', name: 'x' },
    { type: 'message.shout', ...general },
    {},
  ].map((d, i) => ({ ...d, id: `refused-${i}` })))
    await say.command('bob', d);
  await say.command('bob', { type: 'typing.start', ...general });
  await say.command('bob', { id: 'x'.repeat(65), type: 'typing.start', ...general });
  await say.command('parrot', { id: 'bot-1', type: 'application.create', name: 'second' });
  await say.command('parrot', { id: 'bot-2', type: 'message.send', ...general, content: 'too often' });
  await say.command('parrot', { id: 'bot-3', type: 'guild.create', name: 'Of parrots' });
};

const sessions = async ({ say, ids, url }: World): Promise<void> => {
  say.about('frames that ask for nothing');
  const presence = { status: 'idle', since: null, activities: [], afk: false };
  for (const [op, d] of [
    [3, presence],
    [4, { guild_id: ids.guild, channel_id: null }],
    [8, { guild_id: ids.guild, query: '', limit: 0 }],
    [14, {}],
    [37, {}],
    [102, { channel_id: ids.general }],
    [103, { seq: 1 }],
  ] as const)
    await say.sends('bob', op, d);

  say.about('bob loses the connection, and what happened meanwhile is sent');
  await say.loses('bob');
  const at = `/channels/${ids.general}/messages`;
  const { body: missed } = await say.ask('ada', 'POST', at, { body: { content: 'bob is away' } });
  await say.ask('ada', 'POST', at, { body: { content: 'not for long' } });
  await say.ask('ada', 'PUT', `${at}/${missed.id}/reactions/${THUMB}/@me`);
  await say.ask('ada', 'PATCH', `${at}/${missed.id}`, { body: { content: 'bob was away' } });
  await say.ask('ada', 'POST', `/guilds/${ids.guild}/channels`, { body: { name: 'later' } });
  await say.ask('ada', 'POST', `/channels/${ids.direct}/messages`, { body: { content: 'are you there?' } });
  const gone = await say.ask('ada', 'POST', at, { body: { content: 'never mind' } });
  await say.ask('ada', 'DELETE', `${at}/${gone.body.id}`);
  const heard = ['MESSAGE_CREATE', 'MESSAGE_CREATE', 'MESSAGE_REACTION_ADD', 'MESSAGE_UPDATE', 'CHANNEL_CREATE'];
  await say.hears('ada', ...heard, 'MESSAGE_CREATE', 'MESSAGE_CREATE', 'MESSAGE_DELETE');
  await say.hears('parrot', ...heard, 'MESSAGE_CREATE', 'MESSAGE_DELETE');
  await say.resumes('bob');
  await say.ask('ada', 'POST', at, { body: { content: 'welcome back' } });
  await say.hears(PEOPLE, 'MESSAGE_CREATE');

  say.about('bob loses the connection, leaves and joins, and resumes');
  await say.loses('bob');
  await say.ask('bob', 'DELETE', `/users/@me/guilds/${ids.guild}`);
  await say.hears(['ada', 'parrot'], 'GUILD_MEMBER_REMOVE');
  await say.resumes('bob');
  await say.ask('bob', 'DELETE', `/users/@me/guilds/${ids.guild}`);
  await say.ask('bob', 'GET', at);
  await say.ask('bob', 'POST', `/invites/${ids.open}`);
  await say.hears('bob', 'GUILD_CREATE');
  await say.hears(['ada', 'parrot'], 'GUILD_MEMBER_ADD');
  await say.ask('ada', 'DELETE', `/users/@me/guilds/${ids.guild}`);
  await say.ask('ada', 'DELETE', `/users/@me/guilds/${NOTHING}`);
  await say.ask('cleo', 'DELETE', `/users/@me/guilds/${ids.guild}`);
  await say.hears(PEOPLE, 'GUILD_MEMBER_REMOVE');

  say.about('sessions that cannot go on');
  const token = say.tokenOf('bob');
  const session = say.session('bob');
  for (const [shown, d] of [
    [{ session_id: 'nonsense', seq: 1 }, {}],
    [{ session_id: 'of bob', seq: 0 }, { session_id: session.session_id }],
    [{ session_id: 'of bob', seq: 2 ** 52 }, { session_id: session.session_id }],
    [{ session_id: 'of ada', seq: 1 }, { session_id: say.session('ada').session_id }],
  ] as const)
    await say.resumesInVain('bob', { token, ...shown, ...d }, shown);

  say.about('sockets that are closed');
  const frame = (op: unknown, d: unknown) => ({ bytes: JSON.stringify({ op, d }) });
  const properties = {};
  for (const [what, sent] of [
    ['no token', frame(2, { token: 'nonsense', intents: 0, properties })],
    ['unknown intents', frame(2, { token, intents: 2 ** 30, properties })],
    ['impossible shard', frame(2, { token, intents: 0, properties, shard: [2, 1] })],
    ['identify that does not fit', frame(2, { intents: 'all' })],
    ['resume with no token', frame(6, { token: 'nonsense', session_id: 'nonsense', seq: 1 })],
    ['resume with no seq', frame(6, { token, session_id: 'nonsense', seq: 'x' })],
    ['resume that does not fit', frame(6, {})],
    ['command before identify', frame(100, { id: 'early', type: 'typing.start', channel_id: NOTHING })],
    ['presence before identify', frame(3, presence)],
    ['accepted op before identify', frame(8, {})],
    ['not JSON', { bytes: '{"op": 1' }],
    ['no frame', { bytes: '[1, 2]' }],
    ['no op', { bytes: '{}' }],
    ['unknown op', frame(77, null)],
    ['bytes', { bytes: Buffer.from([0xff, 0x00, 0xfe]) }],
    ['long frame', frame(1, 'x'.repeat(4096))],
    ['long command', frame(100, { id: 'long', type: 'message.send', content: 'x'.repeat(20_000) })],
    ['heartbeat that does not fit', frame(1, 'x')],
    ['second identify', { ...frame(2, { token, intents: 0, properties }), as: 'bob' }],
    ['presence that does not fit', { ...frame(3, { status: 'asleep' }), as: 'bob' }],
  ] as const)
    await say.closes(what, sent);
  for (const query of ['?v=8&encoding=json', '?v=10&encoding=etf']) await say.closesAtOnce(query);

  say.about('fresh sessions of other kinds');
  await say.listens('cleo');
  await say.listens('dora', 0);
  await say.listens('bob', EVERYTHING);
  // A bot that may not read message content, except when it is mentioned.
  await say.loses('parrot');
  await say.listens('parrot', (1 << 0) | (1 << 9));
  for (const content of ['not for bots', `for <@${ids.parrot}>`]) {
    await say.ask('ada', 'POST', at, { body: { content } });
    await say.hears(['ada', 'bob', 'parrot'], 'MESSAGE_CREATE');
  }
  expect(url).toBe(say.base);
};

/** What a community reads about itself. */
const looksAround = async ({ say, ids }: World): Promise<void> => {
  say.about('ada looks around in the guild');
  const about = [
    ...['', '/regions', '/emojis', '/stickers', '/webhooks', '/integrations', '/bans', '/threads/active'],
    ...['/roles/member-counts', '/members/search?query=bob', `/members/${ids.bob}/source`],
  ];
  const archives = ['/threads/archived/public', '/threads/archived/private', '/users/@me/threads/archived/private'];
  for (const path of [
    ...about.map((of) => `/guilds/${ids.guild}${of}`),
    ...[...archives, '/history'].map((of) => `/channels/${ids.general}${of}`),
    ...[`/users/@me/guilds/${ids.guild}/member`, `/users/${ids.bob}/profile`, '/users/@me/relationships'],
    ...['/discovery?q=First', '/registration-invites', '/voice/regions'],
  ])
    await say.ask('ada', 'GET', path);
  say.about('ada changes nothing');
  await say.ask('ada', 'DELETE', `/users/@me/relationships/${ids.bob}`);
  for (const path of ['/users/@me/profile', `/guilds/${ids.guild}/members/@me`])
    await say.ask('ada', 'PATCH', path, { body: {} });
};

const replays = async ({ say, ids }: World): Promise<void> => {
  say.about('ada, who administers, replays the log');
  for (const stream of [
    `guild-${ids.guild}`,
    `channel-${ids.general}`,
    `channel-${ids.direct}`,
    `member-${ids.guild}_${ids.bob}`,
    `invite-${ids.capped}`,
    `read-${ids.bob}`,
    `user-${ids.parrot}`,
    'channel-1',
    'nonsense',
  ]) {
    await say.ask('ada', 'GET', `/streams/${stream}/events`);
    await say.ask('ada', 'GET', `/streams/${stream}/state`);
  }
  const general = `/streams/channel-${ids.general}`;
  for (const query of ['?from=2&to=3', '?types=message-deleted,reaction-added', '?types=nonsense', '?from=x'])
    await say.ask('ada', 'GET', `${general}/events${query}`);
  for (const at of ['3', '0', '99999', 'x']) await say.ask('ada', 'GET', `${general}/state?at=${at}`);
  const sse = { accept: 'text/event-stream', 'last-event-id': '2' };
  await say.ask('ada', 'GET', `${general}/events?to=4`, { headers: sse });
  await say.ask('ada', 'GET', `${general}/events`, { headers: { 'last-event-id': 'x' } });
  for (const query of ['?types=user-registered,guild-created,dm-opened', '?prefix=invite-', '?after=x', '?follow=no'])
    await say.ask('ada', 'GET', `/events${query}`);
  for (const query of ['?prefix=member-', '?prefix=read-&limit=1', '?limit=0', `?prefix=channel-&after=channel-3`])
    await say.ask('ada', 'GET', `/streams${query}`);
  for (const path of ['/streams', '/events', `${general}/events`, `${general}/state`]) {
    await say.ask('bob', 'GET', path);
    await say.ask(undefined, 'GET', path);
  }
};

/** Requests every route not covered above once more, signed in and not signed in. */
const everyRouteOnce = async ({ say, ids, url }: World): Promise<void> => {
  say.about('every route, with ids of nothing');
  const routes: RouteShape[] = await everyRoute(url);
  for (const route of routes) {
    // Whoever signs out asks nothing more; a new token, and where somebody is signed in, differ between runs.
    if (/^\/(streams|events|auth\/(logout|refresh|sessions$))/.test(route.path)) continue;
    const path = filled(
      route.path,
      route.parameters.map((name) => (name === 'emoji' ? '👍' : NOTHING)),
    );
    const body = route.takesBody ? { body: { name: 7, content: 7, max_age: 'x', recipient_id: 7 } } : {};
    await say.ask('dora', route.method, path, body);
    if (!route.public) await say.ask(undefined, route.method, path, body);
  }
  await say.ask('ada', 'DELETE', `/channels/${ids.general}/messages/${ids.first}`);
  await say.hears(['ada', 'bob', 'parrot'], 'MESSAGE_DELETE');
  for (const who of [...PEOPLE, 'cleo', 'dora']) await say.rest(who);
};

const differences = (now: readonly object[], then: readonly object[]): string | undefined => {
  const text = (entry: object | undefined) => JSON.stringify(entry, null, 1)?.split('\n') ?? ['nothing'];
  const at = Array.from({ length: Math.max(now.length, then.length) }, (_, i) => i).filter(
    (i) => text(now[i]).join('\n') !== text(then[i]).join('\n'),
  );
  if (at.length === 0) return undefined;
  const shown = at.slice(0, 3).map((i) => {
    const [was, is] = [text(then[i]), text(now[i])];
    const start = was.findIndex((line, n) => line !== is[n]);
    const from = Math.max(0, start === -1 ? was.length - 3 : start - 3);
    const head = `exchange ${i} (${[...is, ...was].find((line) => /"(request|socket)"/.test(line))?.trim()}), from line ${from}`;
    const lines = (mark: string, all: readonly string[]) =>
      all.slice(from, from + 14).map((line) => `  ${mark} ${line}`);
    return [head, ...lines('-', was), ...lines('+', is)].join('\n');
  });
  return `${at.length} of ${then.length} exchanges differ from the recording (- recorded, + now):\n\n${shown.join('\n\n')}`;
};

/** Both profiles are compared with the same recording, so they answer alike, byte for byte. */
const FILE = 'test/recordings/conversation.json';

export const recordingSuite = (start: StartInstance) =>
  describe('a conversation with people, a bot and an administrator', () => {
    let instance: Instance;
    let say: Conversation | undefined;

    beforeAll(async () => {
      instance = await start(ENV);
    });

    afterAll(async () => {
      await say?.end();
      await instance?.close();
    });

    it('matches its recording', async () => {
      say = new Conversation(instance.url);
      const world: World = { say, url: instance.url, ids: {} };
      for (const part of [
        signsUp,
        makesAGuild,
        invites,
        bots,
        messages,
        directly,
        commands,
        looksAround,
        sessions,
        replays,
      ])
        await part(world);
      await everyRouteOnce(world);
      const now = normalised(say.entries, instance.url, say.secrets);
      if (process.env.RECORD !== undefined) {
        mkdirSync(dirname(FILE), { recursive: true });
        writeFileSync(FILE, `${JSON.stringify(now, null, 1)}\n`);
      }
      expect(existsSync(FILE), `${FILE} is missing: run this spec once with RECORD=1`).toBe(true);
      const then = JSON.parse(readFileSync(FILE, 'utf8')) as object[];
      const differ = differences(now, then);
      if (differ !== undefined)
        throw new Error(
          `${differ}\n\nWhere that is meant, record anew: RECORD=1 npx vitest run test/recording (and read the diff)`,
        );
    }, 180_000);
  });
