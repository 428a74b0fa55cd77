/** Every PARLEY_* variable: its form, default and purpose. docs/configuration.md shows this table. */

import { isIP } from 'node:net';
import { option } from 'fp-ts';
import type { Option } from 'fp-ts/lib/Option.js';
import * as t from 'io-ts';
import { integerText } from './codecs.ts';

/** What a process of the cluster profile does. */
export const ROLES = ['gateway', 'api', 'relay', 'projector'] as const;
export type Role = (typeof ROLES)[number];

/** `count` per `seconds`; `undefined` where a limit is off. */
export type Rate = { readonly count: number; readonly seconds: number } | undefined;

/** A codec for the text of an environment variable; `accepts` completes the sentence "accepted: ...". */
interface EnvCodec<A> {
  readonly codec: t.Decoder<unknown, A>;
  readonly accepts: string;
}

const parsed = <A>(accepts: string, parse: (given: string) => Option<A>): EnvCodec<A> => ({
  accepts,
  codec: new t.Type<A, unknown, unknown>(
    accepts,
    (_u): _u is A => true,
    (u, context) => {
      const value = typeof u === 'string' ? parse(u.trim()) : option.none;
      return option.isNone(value) ? t.failure(u, context) : t.success(value.value);
    },
    t.identity,
  ),
});

const whole = (min: number, max: number): EnvCodec<number> => ({
  accepts: `a whole number from ${min} to ${max}`,
  codec: integerText(min, max),
});

const word = <const W extends string>(...words: readonly W[]): EnvCodec<W> =>
  parsed(words.map((one) => `\`${one}\``).join(', '), (given) =>
    option.fromNullable(words.find((one) => one === given)),
  );

const nonEmpty = (accepts: string): EnvCodec<string> =>
  parsed(accepts, (given) => (given === '' || given.includes('\0') ? option.none : option.some(given)));

/** A URL without its trailing slash. Empty text means `null`. */
const address = (...schemes: readonly string[]): EnvCodec<string | null> =>
  parsed(`a URL beginning with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}, or nothing`, (given) => {
    if (given === '') return option.some(null);
    if (!URL.canParse(given)) return option.none;
    const url = new URL(given);
    const fits = schemes.includes(url.protocol.slice(0, -1)) && url.search === '' && url.hash === '';
    return fits ? option.some(given.replace(/\/+$/, '')) : option.none;
  });

/** Servers of one store, with credentials and options as in the store's own URLs. Empty text means `null`. */
const server = (...schemes: readonly string[]): EnvCodec<string | null> =>
  parsed(`a URL beginning with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}, or nothing`, (given) => {
    if (given === '') return option.some(null);
    // A list of hosts is not a standard URL, so only the first host is checked.
    const first = given.replace(/,[^/?]*/, '');
    const fits = schemes.some((scheme) => given.startsWith(`${scheme}://`)) && URL.canParse(first);
    return fits ? option.some(given) : option.none;
  });

const share = parsed('a number from 0 to 1 such as `0.05`', (given) =>
  /^\d(\.\d{1,9})?$/.test(given) && Number(given) <= 1 ? option.some(Number(given)) : option.none,
);

const isRole = (given: string): given is Role => (ROLES as readonly string[]).includes(given);

const roles = parsed<readonly Role[]>(
  `roles separated by commas: ${ROLES.map((one) => `\`${one}\``).join(', ')}`,
  (given) => {
    const list = given.split(',').map((one) => one.trim());
    return list.every(isRole) ? option.some([...new Set(list)]) : option.none;
  },
);

const name = parsed('1 to 32 small letters, digits and `_`, a letter first', (given) =>
  /^[a-z][a-z0-9_]{0,31}$/.test(given) ? option.some(given) : option.none,
);

const isNetwork = (given: string): boolean => {
  const [ip = '', bits, ...more] = given.split('/');
  const version = isIP(ip);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
};

const networks = parsed<readonly string[]>(
  'IP addresses and networks separated by commas (`10.0.0.0/8,::1`), or nothing',
  (given) => {
    const list = given.split(',').map((one) => one.trim());
    if (given === '') return option.some([]);
    return list.every(isNetwork) ? option.some(list) : option.none;
  },
);

const isOrigin = (given: string): boolean =>
  URL.canParse(given) && /^https?:$/.test(new URL(given).protocol) && new URL(given).origin === given;

const origins = parsed<readonly string[]>(
  '`*`, or origins separated by commas such as `https://chat.example`, or nothing',
  (given) => {
    const list = given.split(',').map((one) => one.trim());
    if (given === '') return option.some([]);
    return given === '*' || list.every(isOrigin) ? option.some(list) : option.none;
  },
);

const rate = parsed<Rate>('`<count>/<seconds>` such as `5/5`, both from 1 to 1000000, or `off`', (given) => {
  if (given === 'off') return option.some(undefined);
  const [, count, seconds] = /^(\d{1,7})\/(\d{1,7})$/.exec(given) ?? [];
  const fits = (n: number) => n >= 1 && n <= 1_000_000;
  const read = { count: Number(count), seconds: Number(seconds) };
  return fits(read.count) && fits(read.seconds) ? option.some(read) : option.none;
});

export interface Setting<A> extends EnvCodec<A> {
  readonly variable: string;
  /** As written in the environment. */
  readonly fallback: string;
  readonly about: string;
  /** A variable whose value, where it is given, counts before the fallback. */
  readonly follows?: string;
}

const setting = <A>(variable: string, form: EnvCodec<A>, fallback: string, about: string): Setting<A> => ({
  ...form,
  variable: `PARLEY_${variable}`,
  fallback,
  about,
});

export const settings = {
  profile: setting(
    'PROFILE',
    word('embedded', 'cluster'),
    'embedded',
    '`embedded`: one process on one folder. `cluster`: several, on the servers named below.',
  ),
  host: setting('HOST', nonEmpty('an address or host name'), '127.0.0.1', 'Address the server listens on.'),
  port: setting('PORT', whole(0, 65_535), '7480', 'Port the server listens on; 0 takes any free one.'),
  data: setting('DATA', nonEmpty('a path'), './data', 'Folder of the log, the vault and the views.'),
  logLevel: setting(
    'LOG_LEVEL',
    word('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    'info',
    'Least important line that is logged.',
  ),
  publicUrl: setting(
    'PUBLIC_URL',
    address('http', 'https'),
    '',
    'Where clients reach this server. Without it, answers name the host that the request was sent to.',
  ),
  gatewayUrl: setting(
    'GATEWAY_URL',
    address('ws', 'wss'),
    '',
    'The socket that clients are told of. Without it, `/gateway` at the public URL.',
  ),
  resumeGatewayUrl: setting(
    'RESUME_GATEWAY_URL',
    address('ws', 'wss'),
    '',
    'Where sockets come back to. It should accept connections while this server restarts. Without it, the gateway URL.',
  ),
  trustedProxies: setting(
    'TRUSTED_PROXIES',
    networks,
    '',
    'Proxies whose `X-Forwarded-For` is believed when it names the client address.',
  ),
  corsOrigins: setting(
    'CORS_ORIGINS',
    origins,
    '',
    'Origins whose pages may call the API from a browser; `*` for any. Never with cookies, of which there are none.',
  ),
  registration: setting(
    'REGISTRATION',
    word('open', 'invited', 'closed'),
    'open',
    'Whether new people may register: all, those with a registration invite, or nobody.',
  ),
  deletionSeconds: setting(
    'DELETION_SECONDS',
    whole(0, 31_536_000),
    '604800',
    'Seconds after which an account is deleted whose owner asks for that, unless they sign in before; 0: at once.',
  ),
  tokenSeconds: setting(
    'TOKEN_SECONDS',
    whole(60, 31_536_000),
    '604800',
    "Seconds after which a person's token expires unless it is refreshed.",
  ),
  heartbeatMs: setting('HEARTBEAT_MS', whole(100, 600_000), '41250', 'Milliseconds between heartbeats of a socket.'),
  socketBudgetBytes: setting(
    'SOCKET_BUDGET_BYTES',
    whole(131_072, 1_073_741_824),
    '4194304',
    'Bytes that may wait for a slow socket; beyond it the socket is closed so that its client resumes.',
  ),
  maxConcurrency: setting(
    'MAX_CONCURRENCY',
    whole(1, 1000),
    '1',
    'Sessions that libraries are told they may begin in five seconds. With more, some begin several on one client.',
  ),
  refused: setting(
    'LIMIT_REFUSED',
    rate,
    '500/1',
    'Frames of ops 100 to 103 that are refused or ask for nothing, for each socket; beyond it the socket is not read for a while.',
  ),
  resumeLimit: setting(
    'RESUME_LIMIT',
    whole(1, 10_000_000),
    '100000',
    'Most dispatches a resume replays; a session that missed more starts anew (op 9).',
  ),
  token: setting(
    'TOKEN',
    parsed('a token, or nothing', (given) => option.some(given)),
    '',
    'Token that the command line uses with `--url`, unless given by `--token`. The server itself has no use for it.',
  ),
  drainMs: setting(
    'DRAIN_MS',
    whole(0, 600_000),
    '5000',
    'Milliseconds over which a stopping server sends clients away.',
  ),
  threads: setting(
    'THREADS',
    parsed<number | null>('a whole number from 1 to 64, or nothing', (given) => {
      if (given === '') return option.some(null);
      return /^\d{1,2}$/.test(given) && Number(given) >= 1 && Number(given) <= 64
        ? option.some(Number(given))
        : option.none;
    }),
    '',
    'Processes that hold the sockets of clients, each with one thread; 1: the main process holds them. Without it, another one for every 500 sessions, up to 5 and one less than there are cores; with fewer than three cores none.',
  ),
  tracingUrl: setting(
    'TRACING_URL',
    address('http', 'https'),
    '',
    'Where spans are sent: OTLP over HTTP, the whole URL, as `http://127.0.0.1:4318/v1/traces`. Without it there are none.',
  ),
  tracingRatio: setting(
    'TRACING_RATIO',
    share,
    '1',
    'Share of requests that are traced, unless the caller says which.',
  ),
} as const;

/** Settings of the cluster profile only. */
export const clusterSettings = {
  roles: setting('ROLES', roles, ROLES.join(','), 'What this process does; `parley serve --roles` says it too.'),
  log: setting('LOG', word('postgres', 'kurrentdb'), 'postgres', 'The store of the event log.'),
  logUrl: setting(
    'LOG_URL',
    server('postgres', 'postgresql', 'esdb', 'esdb+discover', 'kurrentdb', 'kurrentdb+discover'),
    '',
    'The event log.',
  ),
  logMaxAppendBytes: setting(
    'LOG_MAX_APPEND_BYTES',
    whole(262_144, 15_728_640),
    '1048576',
    'Bytes of data in one append to KurrentDB: not more than its own limit. A command whose events are larger is refused.',
  ),
  vaultUrl: setting(
    'VAULT_URL',
    server('postgres', 'postgresql'),
    '',
    'PostgreSQL of the vault, the worker ids and the leases.',
  ),
  viewsUrl: setting('VIEWS_URL', server('postgres', 'postgresql'), '', 'PostgreSQL of the guild views.'),
  redisUrl: setting(
    'REDIS_URL',
    server('redis', 'rediss'),
    '',
    'Redis: unread counts, the delivery feed, limits. Several nodes of a Redis Cluster are separated by commas.',
  ),
  kafkaUrl: setting(
    'KAFKA_URL',
    server('kafka', 'kafkas'),
    '',
    'Kafka; brokers are separated by commas. `kafkas` is with TLS.',
  ),
  cassandraUrl: setting(
    'CASSANDRA_URL',
    server('cassandra'),
    '',
    'Cassandra or ScyllaDB; nodes are separated by commas, `?dc=` names the data centre, `&tls=true` turns TLS on.',
  ),
  namespace: setting(
    'NAMESPACE',
    name,
    'parley',
    'Begins the names of topics, keys and keyspace: several installations can share servers.',
  ),
  partitions: setting(
    'PARTITIONS',
    whole(1, 1024),
    '8',
    'Partitions of the distribution log. Never changes once there is one.',
  ),
  cassandraTimeoutMs: setting(
    'CASSANDRA_TIMEOUT_MS',
    whole(10, 600_000),
    '5000',
    'Milliseconds a request to Cassandra may take.',
  ),
  cassandraOpenMs: setting(
    'CASSANDRA_OPEN_MS',
    whole(10, 600_000),
    '5000',
    'Milliseconds Cassandra is left alone after half of the requests failed.',
  ),
  redisTimeoutMs: setting('REDIS_TIMEOUT_MS', whole(10, 600_000), '1000', 'Milliseconds a request to Redis may take.'),
  redisOpenMs: setting(
    'REDIS_OPEN_MS',
    whole(10, 600_000),
    '2000',
    'Milliseconds Redis is left alone after half of the requests failed.',
  ),
} as const;

export const limits = {
  send: setting('LIMIT_SEND', rate, '5/5', 'Messages of a person to one channel.'),
  reaction: setting('LIMIT_REACTION', rate, '10/1', 'Reactions of a user.'),
  pin: setting('LIMIT_PIN', rate, '5/5', 'Messages a user pins in one channel or takes down.'),
  channelCreate: setting('LIMIT_CHANNEL_CREATE', rate, '10/60', 'Channels a user creates.'),
  threadCreate: setting('LIMIT_THREAD_CREATE', rate, '50/300', 'Threads a user creates.'),
  threadMember: setting(
    'LIMIT_THREAD_MEMBER',
    rate,
    '10/5',
    'Threads that a user joins, leaves, or adds and removes others.',
  ),
  dmCreate: setting('LIMIT_DM_CREATE', rate, '10/60', 'Direct channels a user opens, and people they add to groups.'),
  relationship: setting('LIMIT_RELATIONSHIP', rate, '30/60', 'Friendships and blocks that a person changes.'),
  report: setting('LIMIT_REPORT', rate, '10/3600', 'Messages that a person reports.'),
  guildCreate: setting('LIMIT_GUILD_CREATE', rate, '60/60', 'Guilds a user creates.'),
  guildJoin: setting('LIMIT_GUILD_JOIN', rate, '60/60', 'Guilds a user joins.'),
  inviteCreate: setting('LIMIT_INVITE_CREATE', rate, '30/60', 'Invites a user creates.'),
  applicationCreate: setting('LIMIT_APPLICATION_CREATE', rate, '10/60', 'Applications a user creates.'),
  profile: setting('LIMIT_PROFILE', rate, '10/60', 'Changes of profile of a user.'),
  notifications: setting('LIMIT_NOTIFICATIONS', rate, '60/60', 'Changes of what a person is notified of.'),
  login: setting('LIMIT_LOGIN', rate, '5/60', 'Logins for one account from one address.'),
  loginAddress: setting('LIMIT_LOGIN_ADDRESS', rate, '60/60', 'Logins from one address, for all accounts together.'),
  register: setting('LIMIT_REGISTER', rate, '20/3600', 'Registrations from one address.'),
  registerEarly: {
    ...setting(
      'LIMIT_REGISTER_EARLY',
      rate,
      '500/3600',
      'In place of that, in the first three days of an installation. `off`, or only that one set: no difference.',
    ),
    follows: 'PARLEY_LIMIT_REGISTER',
  },
  identify: setting('LIMIT_IDENTIFY', rate, '1000/86400', 'Sessions a user begins; resumes do not count.'),
  memberList: setting(
    'LIMIT_MEMBER_LIST',
    rate,
    '10/30',
    'Lists of members and searches that a user asks for in one guild (op 8); those by id do not count.',
  ),
  global: setting('LIMIT_GLOBAL', rate, '50/1', 'Requests and commands of a person, all together.'),
  botSend: setting('LIMIT_BOT_SEND', rate, '5/5', 'Messages of a bot to one channel.'),
  botGlobal: setting('LIMIT_BOT_GLOBAL', rate, '50/1', 'Requests and commands of a bot, all together.'),
} as const;

/** How much there may be of something at once. */
export const bounds = {
  guilds: setting('MAX_GUILDS', whole(1, 1_000_000), '500', 'Guilds a person may be in.'),
  relationships: setting(
    'MAX_RELATIONSHIPS',
    whole(1, 100_000),
    '1000',
    'Friends of a person, with those they asked; people they block; and requests that wait for their answer: so many of each.',
  ),
  notifications: setting(
    'MAX_NOTIFICATIONS',
    whole(1, 100_000),
    '10000',
    'Guilds and channels for which a person chooses of what they are notified.',
  ),
  groups: setting('MAX_GROUPS', whole(1, 1_000_000), '100', 'Group direct messages a person may be in.'),
  applications: setting('MAX_APPLICATIONS', whole(1, 1_000_000), '50', 'Applications of a person.'),
  invites: setting(
    'MAX_INVITES',
    whole(1, 1_000_000),
    '1000',
    'Invites of a person to one guild that still admit somebody.',
  ),
  threads: setting('MAX_THREADS', whole(1, 1_000_000), '1000', 'Threads of a guild that are active.'),
  commands: setting(
    'MAX_COMMANDS',
    whole(1, 1_000_000),
    '2000',
    'Commands of a user in progress at once, over all sockets and requests of one process.',
  ),
  waiting: setting(
    'MAX_WAITING',
    whole(1, 1_000_000),
    '10000',
    'Commands that wait for their turn in one stream: a channel, a guild, a membership.',
  ),
  logins: setting(
    'MAX_LOGINS',
    whole(1, 1_000_000),
    '200',
    'Logins and registrations of one process that wait for their password to be hashed.',
  ),
  loginsOfAddress: setting(
    'MAX_LOGINS_ADDRESS',
    whole(1, 1_000_000),
    '20',
    'Those of them from one address; addresses take turns.',
  ),
  sockets: setting('MAX_UNIDENTIFIED', whole(1, 1_000_000), '5000', 'Sockets of one process that have not identified.'),
  socketsOfAddress: setting('MAX_UNIDENTIFIED_ADDRESS', whole(1, 1_000_000), '1000', 'Those of them from one address.'),
  compressed: setting(
    'MAX_COMPRESSED',
    whole(0, 1_000_000),
    '1000',
    'Sockets of one process that are compressed, with some 130 KB of memory each; further ones that ask for it are sent stored blocks.',
  ),
} as const;

type Values<S> = { readonly [K in keyof S]: S[K] extends Setting<infer A> ? A : never };

export type Limits = Values<typeof limits>;
export type Bounds = Values<typeof bounds>;
export type ClusterConfig = Values<typeof clusterSettings>;
export type Config = Values<typeof settings> & {
  readonly limits: Limits;
  readonly bounds: Bounds;
  readonly cluster: ClusterConfig;
};
