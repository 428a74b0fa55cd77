/** Every route of the API by everybody who may not call it, about what is not there, and with bodies that are wrong. */

import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { right } from '../commands/testing.ts';
import { ALL_PERMISSIONS, Permission } from '../domain/permissions.ts';
import type { JsonSchema, OpenApi } from '../http/openapi.ts';
import type { Route } from '../schemas/http/route.ts';
import { Bodies } from './support/bad-bodies.ts';
import { describedApi, describedRoutes } from './support/described-routes.ts';
import { httpSide, questionsTo } from './support/http-side.ts';
import { Instance } from './support/write-side.ts';

const MOUNTS = ['/v1', '/api/v10'];

const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>): string => `${method} ${path}`;
const parametersOf = ({ path }: Pick<Route, 'path'>): readonly string[] =>
  [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!);

/** Anybody may call them. A route that joins them is named here on purpose. */
const PUBLIC = ['POST /auth/register', 'POST /login', 'POST /auth/reset', 'GET /gateway'];

/** What the server's administrators alone may do. */
const ADMINISTRATORS = [
  'GET /registration-invites',
  'POST /registration-invites',
  'DELETE /registration-invites/:invite_id',
  'POST /users/:user_id/password-reset',
  'PUT /administrators/:user_id',
  'DELETE /administrators/:user_id',
  'PUT /users/:user_id/disabled',
  'DELETE /users/:user_id/disabled',
  'DELETE /users/:user_id',
  'GET /reports',
  'PATCH /reports/:report_id',
  'GET /streams',
  'GET /streams/:stream/events',
  'GET /streams/:stream/state',
  'GET /events',
];

/** Of a guild or channel, what a member who may do nothing but see and read may call all the same. */
const TAKES_NO_RIGHT = [
  'GET /guilds/:guild_id',
  'GET /guilds/:guild_id/channels',
  'GET /guilds/:guild_id/emojis',
  'GET /guilds/:guild_id/integrations',
  'GET /guilds/:guild_id/members',
  'GET /guilds/:guild_id/members/:user_id',
  'GET /guilds/:guild_id/members/search',
  'GET /guilds/:guild_id/regions',
  'GET /guilds/:guild_id/roles',
  'GET /guilds/:guild_id/roles/:role_id',
  'GET /guilds/:guild_id/roles/member-counts',
  'GET /guilds/:guild_id/stickers',
  'GET /guilds/:guild_id/threads/active',
  'GET /guilds/:guild_id/webhooks',
  'PUT /guilds/:guild_id/members/@me',
  'GET /channels/:channel_id',
  'GET /channels/:channel_id/history',
  'GET /channels/:channel_id/messages',
  'GET /channels/:channel_id/messages/:message_id',
  'GET /channels/:channel_id/messages/:message_id/reactions/:emoji',
  'GET /channels/:channel_id/messages/pins',
  'GET /channels/:channel_id/pins',
  'GET /channels/:channel_id/thread-members',
  'GET /channels/:channel_id/thread-members/:user_id',
  'GET /channels/:channel_id/threads/archived/public',
  'GET /channels/:channel_id/users/@me/threads/archived/private',
  'POST /channels/:channel_id/messages/:message_id/ack',
  'POST /channels/:channel_id/messages/:message_id/report',
  'PUT /channels/:channel_id/thread-members/@me',
  'DELETE /channels/:channel_id/thread-members/@me',
  'DELETE /channels/:channel_id/messages/:message_id/reactions/:emoji/@me',
  // Who is in a group adds others.
  'PUT /channels/:channel_id/recipients/:user_id',
];

/** What takes one right, without which all others together are too few. */
const TAKES: Readonly<Partial<Record<keyof typeof Permission, readonly string[]>>> = {
  createInvite: ['POST /channels/:channel_id/invites'],
  viewAuditLog: ['GET /guilds/:guild_id/audit-logs'],
  kickMembers: ['DELETE /guilds/:guild_id/members/:user_id'],
  banMembers: [
    'GET /guilds/:guild_id/bans',
    'GET /guilds/:guild_id/bans/:user_id',
    'PUT /guilds/:guild_id/bans/:user_id',
    'DELETE /guilds/:guild_id/bans/:user_id',
    'POST /guilds/:guild_id/bulk-ban',
  ],
  manageChannels: [
    'POST /guilds/:guild_id/channels',
    'PATCH /guilds/:guild_id/channels',
    'PATCH /channels/:channel_id',
    'DELETE /channels/:channel_id',
    'GET /channels/:channel_id/invites',
  ],
  manageGuild: [
    'PATCH /guilds/:guild_id',
    'PUT /guilds/:guild_id/incident-actions',
    'GET /guilds/:guild_id/invites',
    'POST /guilds/:guild_id/bots',
    'POST /guilds/:guild_id/bulk-ban',
  ],
  readMessageHistory: [
    'GET /channels/:channel_id/messages/:message_id/history',
    'POST /channels/:channel_id/messages/:message_id/report',
    'POST /channels/:channel_id/messages/:message_id/threads',
  ],
  addReactions: ['PUT /channels/:channel_id/messages/:message_id/reactions/:emoji/@me'],
  sendMessages: ['POST /channels/:channel_id/messages', 'POST /channels/:channel_id/typing'],
  manageMessages: [
    'POST /channels/:channel_id/messages/bulk-delete',
    'DELETE /channels/:channel_id/messages/:message_id',
    'DELETE /channels/:channel_id/messages/:message_id/reactions',
    'DELETE /channels/:channel_id/messages/:message_id/reactions/:emoji',
    'DELETE /channels/:channel_id/messages/:message_id/reactions/:emoji/:user_id',
    'GET /channels/:channel_id/messages/:message_id/history',
    'GET /guilds/:guild_id/reports',
    'PATCH /guilds/:guild_id/reports/:report_id',
  ],
  manageNicknames: ['PATCH /guilds/:guild_id/members/:user_id'],
  manageRoles: [
    'POST /guilds/:guild_id/roles',
    'PATCH /guilds/:guild_id/roles',
    'PATCH /guilds/:guild_id/roles/:role_id',
    'DELETE /guilds/:guild_id/roles/:role_id',
    'PUT /guilds/:guild_id/members/:user_id/roles/:role_id',
    'DELETE /guilds/:guild_id/members/:user_id/roles/:role_id',
    'PUT /channels/:channel_id/permissions/:overwrite_id',
    'DELETE /channels/:channel_id/permissions/:overwrite_id',
  ],
  createPublicThreads: [
    'POST /channels/:channel_id/messages/:message_id/threads',
    'POST /channels/:channel_id/threads',
  ],
  manageThreads: [
    'DELETE /channels/:channel_id/thread-members/:user_id',
    'GET /channels/:channel_id/threads/archived/private',
  ],
  pinMessages: [
    'PUT /channels/:channel_id/messages/pins/:message_id',
    'DELETE /channels/:channel_id/messages/pins/:message_id',
    'PUT /channels/:channel_id/pins/:message_id',
    'DELETE /channels/:channel_id/pins/:message_id',
  ],
};

/** What a parameter that names nothing is answered with. */
const UNKNOWN: Readonly<Record<string, readonly number[]>> = {
  guild_id: [10004],
  channel_id: [10003],
  message_id: [10008],
  role_id: [10011],
  user_id: [10013, 10007, 10026],
  overwrite_id: [10009, 10011],
  code: [10006],
  invite_id: [10006],
  application_id: [10002],
  emoji: [10014],
  stream: [0],
  report_id: [0],
};

/** Nobody has reacted with it, or is in it: that is as asked. */
const MAY_BE_NOTHING = [
  'emoji of GET /channels/:channel_id/messages/:message_id/reactions/:emoji',
  'user_id of DELETE /channels/:channel_id/messages/:message_id/reactions/:emoji/:user_id',
  'user_id of DELETE /channels/:channel_id/thread-members/:user_id',
  'user_id of DELETE /channels/:channel_id/recipients/:user_id',
];

const document: OpenApi = describedApi();
const schemas = (document.components as { schemas: Record<string, JsonSchema> }).schemas;
const bodies = new Bodies(schemas);
type At = Pick<Route, 'method' | 'path'>;
const operationOf = ({ method, path }: At) => document.paths[path.replace(/:(\w+)/g, '{$1}')]![method.toLowerCase()]!;
const bodySchemaOf = (route: At): JsonSchema | undefined =>
  operationOf(route).requestBody?.content['application/json'].schema;
/** What it asks for in its query at least. */
const queryOf = (route: At): string => {
  const required = operationOf(route).parameters.filter((one) => one.in === 'query' && one.required);
  return required.length === 0 ? '' : `?${required.map(({ name }) => `${name}=x`).join('&')}`;
};

const described = describedRoutes();
const within = described.filter(({ path }) => /^\/(guilds|channels)\/:/.test(path));

interface Caller {
  readonly id: string;
  readonly authorization: string | undefined;
}

type Values = Readonly<Record<string, string>>;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: { readonly code?: number; readonly errors?: Readonly<Record<string, unknown>> } | null;
}

let instance: Instance;
let app: FastifyInstance;
let questions: () => readonly string[];

const ask = async (
  mountedAt: string,
  route: At,
  { authorization }: Pick<Caller, 'authorization'>,
  values: Values,
  body?: unknown,
): Promise<Answer> => {
  const path = route.path.replace(/:(\w+)/g, (_, name) => encodeURIComponent(values[name] ?? '1'));
  const options: InjectOptions = { method: route.method, url: mountedAt + path + queryOf(route), headers: {} };
  if (authorization !== undefined) options.headers!.authorization = authorization;
  if (body !== undefined) {
    options.payload = JSON.stringify(body);
    options.headers!['content-type'] = 'application/json';
  }
  const { statusCode, payload } = await app.inject(options);
  return { status: statusCode, text: payload, body: payload === '' ? null : JSON.parse(payload) };
};

const NOTHING = '4194304000001';

const world = async () => {
  const people = new Map<string, Caller>();
  for (const name of ['root', 'member', 'friend', 'outsider', 'banned']) {
    const { body } = await ask(
      '/v1',
      { method: 'POST', path: '/auth/register' },
      { authorization: undefined },
      {},
      {
        username: name,
        password: 'correct horse',
      },
    );
    const { token, user } = body as unknown as { token: string; user: { id: string } };
    people.set(name, { id: user.id, authorization: `Bearer ${token}` });
  }
  const [root, member, friend, outsider, banned] = [...people.values()] as [Caller, Caller, Caller, Caller, Caller];
  const guild = await instance.guild(root.id);
  await instance.join(root.id, guild.channel, member.id, friend.id, banned.id);
  const inGuild = { guild_id: guild.id };
  await instance.do(root.id, 'member.ban', { ...inGuild, user_id: banned.id });
  const deny = String(Permission.viewChannel);
  const secret = await instance.do(root.id, 'channel.create', {
    ...{ ...inGuild, name: 'secret' },
    permission_overwrites: [{ id: guild.id, type: 0, allow: '0', deny }],
  });
  const elsewhere = await instance.guild(root.id);
  const direct = await instance.do(root.id, 'dm.create', { recipient_id: friend.id });
  const group = await instance.do(root.id, 'dm.create', { recipients: [member.id, friend.id] });
  const said = async (channelId: string) => right(await instance.send(root.id, channelId, 'hello')).answer;
  const thread = await instance.do(root.id, 'thread.create', { channel_id: guild.channel, name: 'thread', type: 11 });
  const within = await instance.do(root.id, 'thread.create', { channel_id: secret.id, name: 'hidden', type: 11 });
  const messages = new Map<string, string>();
  for (const channelId of [guild.channel, secret.id, elsewhere.channel, direct.id, thread.id, within.id]) {
    const answer = await said(channelId);
    if (answer.kind === 'posted') messages.set(channelId, answer.event.data.messageId);
  }
  const message_id = messages.get(guild.channel)!;
  await instance.do(root.id, 'reaction.add', { channel_id: guild.channel, message_id, emoji: '👍' });
  const theirs = right(await instance.send(friend.id, guild.channel, 'rude')).answer;
  const about = theirs.kind === 'posted' ? theirs.event.data.messageId : '';
  const report = { channel_id: guild.channel, message_id: about, kind: 'spam' };
  const { id: report_id } = await instance.do(member.id, 'message.report', report);
  const role = await instance.do(root.id, 'role.create', { ...inGuild, name: 'role', permissions: '0' });
  // So that nobody is refused for being below others.
  const high = await instance.do(root.id, 'role.create', { ...inGuild, name: 'high', permissions: '0' });
  await instance.do(root.id, 'role.move', { ...inGuild, roles: [{ id: high.id, position: 2 }] });
  await instance.do(root.id, 'member.role.add', { ...inGuild, user_id: member.id, role_id: high.id });
  const { code } = await instance.do(root.id, 'invite.create', { channel_id: guild.channel });
  const application = await instance.do(root.id, 'application.create', { name: 'robot' });
  const robot: Caller = { id: application.id, authorization: `Bot ${application.bot.token}` };
  await instance.settled();
  const values: Values = {
    ...{ guild_id: guild.id, channel_id: guild.channel, message_id, user_id: friend.id, role_id: role.id },
    ...{
      overwrite_id: role.id,
      code,
      application_id: application.id,
      emoji: '👍',
      invite_id: NOTHING,
      stream: 'x',
      report_id,
    },
  };
  const hidden = { secret: secret.id, within: within.id, direct: direct.id, elsewhere: elsewhere.channel };
  const special = { thread: thread.id, group: group.id };
  return { root, member, friend, outsider, banned, robot, values, ...special, hidden, messages };
};

let at: Awaited<ReturnType<typeof world>>;

beforeAll(async () => {
  instance = await Instance.open();
  app = httpSide(instance).app;
  at = await world();
  const { guilds, timelines, unread, pins, bans, reports, streams, snapshots } = instance.views;
  const all = questionsTo({ guilds, timelines, unread, pins, bans, reports, streams, snapshots, log: instance.log });
  // How far the log is asks no stream, and is asked by the clock.
  questions = () => all().filter((name) => name !== 'log.head');
});

afterAll(async () => {
  await app.close();
  await instance.close();
});

/** Ids of what is there, as the route takes them. */
const valuesFor = ({ method, path }: Route): Values => {
  if (path.includes('/thread-members')) return { ...at.values, channel_id: at.thread };
  if (path.includes('/recipients')) return { ...at.values, channel_id: at.group };
  // Whoever may not react may join in a reaction.
  return method === 'PUT' && path.includes('/reactions/') ? { ...at.values, emoji: '🎉' } : at.values;
};

const BODIES: Readonly<Record<string, object>> = {
  'POST /channels/:channel_id/messages': { content: 'hello' },
  'POST /channels/:channel_id/messages/bulk-delete': { messages: ['1', '2'] },
  'POST /channels/:channel_id/threads': { name: 'x', type: 11 },
  'PATCH /guilds/:guild_id/members/:user_id': { nick: 'x' },
  'PATCH /guilds/:guild_id/members/@me': { nick: 'x' },
  'PATCH /guilds/:guild_id/members/@me/nick': { nick: 'x' },
};
const validBody = (route: Route): unknown => {
  const schema = bodySchemaOf(route);
  return schema === undefined ? undefined : (BODIES[nameOf(route)] ?? bodies.valid(schema));
};

/** The answer at both mounts, which is one. */
const refused = async (...[route, caller, values, body]: [Route, Pick<Caller, 'authorization'>, Values, unknown?]) => {
  const [one, other] = [
    await ask(MOUNTS[0]!, route, caller, values, body),
    await ask(MOUNTS[1]!, route, caller, values, body),
  ];
  // What succeeds makes something new each time.
  if (one.status >= 400) expect(other, nameOf(route)).toEqual(one);
  return one;
};

/** Tries every route and names those that answer something else. */
const wrongAmong = async (
  routes: readonly Route[],
  wrong: (route: Route) => Promise<string | readonly string[] | undefined>,
): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const route of routes)
    for (const what of [(await wrong(route)) ?? []].flat()) found.push(`${nameOf(route)}: ${what}`);
  return found;
};

const withoutThose = (all: readonly string[], others: readonly string[]): readonly string[] => {
  const left = [...others];
  return all.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
};

const told = ({ status, text }: Answer): string => `${status} ${text}`;

describe('every route', () => {
  it('is public, or for administrators, only where this table says so', () => {
    const named = (access: Route['access']) => described.filter((route) => route.access === access).map(nameOf);
    expect(named('public').toSorted()).toEqual(PUBLIC.toSorted());
    expect(named('administrator').every((name) => ADMINISTRATORS.includes(name))).toBe(true);
    const all = described.map(nameOf);
    for (const name of [...ADMINISTRATORS, ...TAKES_NO_RIGHT, ...Object.values(TAKES).flat()])
      expect(all).toContain(name);
  });

  it('calls the server by one word, as the glossary has it', () => {
    const described = [...JSON.stringify(document).matchAll(/"(?:summary|description)":"(?:[^"\\]|\\.)*"/g)].map(
      ([text]) => text,
    );
    expect(described.some((text) => /\bserver\b/.test(text))).toBe(true);
    expect(described.filter((text) => /\b(instance|installation)s?\b/i.test(text))).toEqual([]);
  });

  it('refuses whoever shows no token, or none that counts, before it looks at anything', async () => {
    const some = ['', 'Bearer', 'Bearer x.y.z', 'Bot x.y', 'Basic YTpi'];
    const cut = at.member.authorization!.slice(0, -4);
    const unauthorized = '401 {"message":"401: Unauthorized","code":0}';
    const wrong = await wrongAmong(
      described.filter(({ access }) => access !== 'public'),
      async (route) => {
        for (const [n, authorization] of [undefined, cut, some[route.path.length % some.length]].entries()) {
          const body = n % 2 === 0 ? validBody(route) : undefined;
          const answer = told(await ask(MOUNTS[n % 2]!, route, { authorization }, valuesFor(route), body));
          if (answer !== unauthorized) return `${authorization}: ${answer}`;
        }
        return undefined;
      },
    );
    expect(wrong).toEqual([]);
  });

  it('for administrators refuses all others, whether what they name is there or not', async () => {
    const wrong = await wrongAmong(
      described.filter((route) => ADMINISTRATORS.includes(nameOf(route))),
      async (route) => {
        const answers = new Set<string>();
        for (const caller of [at.member, at.outsider, at.robot])
          for (const values of [valuesFor(route), {}])
            answers.add(told(await refused(route, caller, values, validBody(route))));
        return [...answers].join() === '403 {"message":"Missing Access","code":50001}' ? undefined : [...answers];
      },
    );
    expect(wrong).toEqual([]);
  });

  const onGuildOrChannel = described.filter((route) =>
    parametersOf(route).some((name) => name === 'guild_id' || name === 'channel_id'),
  );

  /** That the answer about what is there equals that about what is not, in what it says and in what it asked for. */
  const differs = async (route: Route, caller: Caller, there: Values, notThere: Values) => {
    const body = validBody(route);
    const about = async (values: Values, given: unknown) => {
      questions();
      const answer = told(await ask(MOUNTS[given === undefined ? 0 : 1]!, route, caller, values, given));
      return { answer, asked: questions() };
    };
    // What was asked before is kept in memory, of streams that are not there too.
    for (const values of [there, notThere]) await about(values, body);
    const [one, other] = [await about(there, body), await about(notThere, body)];
    if (one.answer !== other.answer) return `${one.answer} in place of ${other.answer}`;
    if (!one.answer.startsWith('404') && !one.answer.includes('Bots cannot')) return one.answer;
    const [more, fewer] = [withoutThose(one.asked, other.asked), withoutThose(other.asked, one.asked)];
    if (more.length + fewer.length > 0) return `asks for more: ${more}; for less: ${fewer}`;
    if (body === undefined) return undefined;
    const [bad, badToo] = [
      await about(there, { name: {}, content: {} }),
      await about(notThere, { name: {}, content: {} }),
    ];
    return bad.answer === badToo.answer ? undefined : `${bad.answer} in place of ${badToo.answer}`;
  };

  it.each(['outsider', 'banned', 'robot'] as const)(
    'tells somebody outside (%s) of a guild what it tells of none',
    async (who) => {
      const wrong = await wrongAmong(onGuildOrChannel, (route) => {
        const there = valuesFor(route);
        return differs(route, at[who], there, { ...there, guild_id: NOTHING, channel_id: NOTHING });
      });
      expect(wrong).toEqual([]);
    },
  );

  it.each(['secret', 'within', 'direct', 'elsewhere'] as const)(
    'tells a member of a hidden channel (%s) what it tells of none',
    async (which) => {
      const onChannel = onGuildOrChannel.filter((route) => parametersOf(route)[0] === 'channel_id');
      const wrong = await wrongAmong(onChannel, (route) => {
        const channel_id = at.hidden[which];
        const there = { ...at.values, channel_id, message_id: at.messages.get(channel_id)! };
        return differs(route, at.member, there, { ...there, channel_id: NOTHING });
      });
      expect(wrong).toEqual([]);
    },
  );

  it('tells of what belongs to somebody else what it tells of nothing', async () => {
    const own = described.filter((route) => parametersOf(route)[0] === 'application_id');
    const wrong = await wrongAmong(own, (route) =>
      differs(route, at.outsider, at.values, { ...at.values, application_id: NOTHING }),
    );
    expect(wrong).toEqual([]);
  });

  const permit = (permissions: bigint) =>
    instance.do(at.root.id, 'role.edit', {
      ...{ guild_id: at.values.guild_id!, role_id: at.values.guild_id!, permissions: String(permissions) },
    });

  it('refuses a member who may do nothing but see and read', async () => {
    await permit(Permission.viewChannel | Permission.readMessageHistory);
    const others = within.filter((route) => !TAKES_NO_RIGHT.includes(nameOf(route)));
    const wrong = await wrongAmong(others, async (route) => {
      const answer = await refused(route, at.member, valuesFor(route), validBody(route));
      return answer.status === 403 ? undefined : told(answer);
    });
    expect(wrong).toEqual([]);
  });

  it.each(Object.entries(TAKES))('refuses a member who lacks %s alone', async (right, names) => {
    await permit(ALL_PERMISSIONS & ~Permission.administrator & ~Permission[right as keyof typeof Permission]);
    const those = within.filter((route) => names.includes(nameOf(route)));
    const wrong = await wrongAmong(those, async (route) => {
      const answer = await refused(route, at.member, valuesFor(route), validBody(route));
      return told(answer) === '403 {"message":"Missing Permissions","code":50013}' ? undefined : told(answer);
    });
    expect(wrong).toEqual([]);
  });

  it('says what is not there', async () => {
    const wrong = await wrongAmong(described, async (route) => {
      const found: string[] = [];
      for (const name of parametersOf(route)) {
        if (MAY_BE_NOTHING.includes(`${name} of ${nameOf(route)}`)) continue;
        const values = { ...valuesFor(route), [name]: NOTHING };
        const { body, status, text } = await refused(route, at.root, values, validBody(route));
        const isRight = UNKNOWN[name]?.includes(body?.code ?? -1) === true && status === (name === 'emoji' ? 400 : 404);
        if (!isRight) found.push(`${name}: ${status} ${text}`);
      }
      return found;
    });
    expect(wrong).toEqual([]);
  });

  it('refuses a body of the wrong kind at the field that is wrong', async () => {
    const wrong = await wrongAmong(described, async (route) => {
      const schema = bodySchemaOf(route);
      if (schema === undefined) return undefined;
      const found: string[] = [];
      for (const { body, at: where } of bodies.bad(schema)) {
        if (where.length === 0 && body === null) continue;
        const answer = await ask('/v1', route, at.root, valuesFor(route), body);
        const named = where.length === 0 || answer.body?.errors?.[where[0]!] !== undefined;
        if (answer.status !== 400 || answer.body?.code !== 50035 || !named)
          found.push(`${JSON.stringify(body).slice(0, 100)} (${where.join('.')}): ${told(answer).slice(0, 200)}`);
      }
      return found;
    });
    expect(wrong).toEqual([]);
  });
});
