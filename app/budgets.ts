/** All budgets together: those of the stores, those of the rooms above them, and those that the configuration gives. */

import { FOLLOW_MS } from '../commands/command.ts';
import { EMBED_BYTES } from '../commands/features/embeds.ts';
import { MESSAGE_LENGTH } from '../commands/features/messages.ts';
import { IMPORT_WAIT_MS } from '../commands/importing.ts';
import { OWN_WRITES_WAIT_MS } from '../commands/own-writes.ts';
import { LAG_MS } from '../commands/pace.ts';
import { LEFT_MS, LOOK_MS } from '../commands/processes.ts';
import { KEPT_BYTES } from '../commands/states.ts';
import { TURN_BYTES } from '../commands/turn.ts';
import { REMEMBERED_BYTES } from '../domain/recent-keys.ts';
import { defaultGatewayConfig } from '../gateway/config.ts';
import { PACE } from '../gateway/session-start.ts';
import { CONNECTION_LIMITS } from '../http/connections.ts';
import { QUERIES } from '../http/mount.ts';
import { BODY_LIMIT } from '../http/server.ts';
import { DROPPED_BYTES } from '../http/unread.ts';
import { feedLimits } from '../projections/feed/reader.ts';
import { MESSAGES_PER_PAGE } from '../read-api/channels.ts';
import { VIEWS_WAIT_MS } from '../read-api/replay/replay.ts';
import { type Config, clusterSettings, type Setting, settings } from '../schemas/settings.ts';
import { type Relation, STORE_RELATIONS } from '../stores/budget-relations.ts';
import { BUDGETS } from '../stores/budgets.ts';
import { hostsOf } from '../stores/urls.ts';

// The rooms above the stores do not import them: here their numbers meet.

export const ALL_BUDGETS = {
  ...BUDGETS,
  waitsForViews: {
    command: FOLLOW_MS,
    ownWrites: OWN_WRITES_WAIT_MS,
    import: IMPORT_WAIT_MS,
    replay: VIEWS_WAIT_MS,
    session: defaultGatewayConfig.viewsTimeoutMs,
  },
  processes: { leftMs: LEFT_MS, lookMs: LOOK_MS },
  feed: { ...BUDGETS.feed, ...feedLimits },
  delivery: { lagMs: LAG_MS },
  message: { characters: MESSAGE_LENGTH, embedBytes: EMBED_BYTES },
  states: { keptBytes: KEPT_BYTES, keysBytes: REMEMBERED_BYTES },
  turn: { bytes: TURN_BYTES },
  http: {
    ...{ bodyBytes: BODY_LIMIT, droppedBytes: DROPPED_BYTES },
    ...{ pageMessages: MESSAGES_PER_PAGE, queries: QUERIES, connections: CONNECTION_LIMITS },
  },
  socket: { budgetBytes: Number(settings.socketBudgetBytes.fallback), paceBytes: PACE },
};

export type AllBudgets = typeof ALL_BUDGETS;

/** A control character becomes six in JSON. */
const JSON_CHARACTER = 6;
/** What is sealed is written in base64. */
const SEALED = 4 / 3;

export const RELATIONS: readonly Relation<AllBudgets>[] = [
  ...STORE_RELATIONS,
  {
    what: 'one answer of the slowest store of the views',
    is: ({ postgres, cassandra, redis }) => Math.max(postgres.views.answerMs, cassandra.answerMs, redis.answerMs),
    than: 'the shortest time that anybody waits for the views',
    most: ({ waitsForViews }) => Math.min(...Object.values(waitsForViews)),
    unit: 'ms',
    equal: true,
  },
  {
    what: 'the time after which a view counts as late',
    is: ({ lateViews }) => lateViews.lateMs,
    than: 'the shortest time that anybody waits for the views',
    most: ({ waitsForViews, sessionStart }) => Math.min(sessionStart.heldMs, ...Object.values(waitsForViews)),
    unit: 'ms',
  },
  {
    what: 'the age at which a cause counts as left undone, and the pause between two looks for one',
    is: ({ processes }) => processes.leftMs + processes.lookMs,
    than: 'how long the answer to a command waits for what must follow',
    most: ({ waitsForViews }) => waitsForViews.command,
    unit: 'ms',
  },
  {
    what: 'how long an event waits for a partition that stands still, and the pause between two looks',
    is: ({ feed }) => feed.staleMs + feed.lookMs,
    than: 'the lag of delivery from which commands wait',
    most: ({ delivery }) => delivery.lagMs,
    unit: 'ms',
  },
  {
    what: 'how long an event waits for a partition that stands still',
    is: ({ feed }) => feed.staleMs,
    than: 'how long it waits for one that moves',
    most: ({ feed }) => feed.movingMs,
    unit: 'ms',
  },
  {
    what: 'the text and the embeds of a message, sealed and as JSON',
    is: ({ message }) => SEALED * (JSON_CHARACTER * message.characters + message.embedBytes),
    than: 'a message at its largest',
    most: ({ log }) => log.messageBytes,
    unit: 'bytes',
  },
  {
    what: 'the events of one turn, with a message at its largest as the last',
    is: ({ turn, log }) => turn.bytes + log.messageBytes,
    than: 'what KurrentDB takes in one append',
    most: ({ kurrentdb }) => kurrentdb.serverAppendBytes,
    unit: 'bytes',
  },
  {
    what: 'the keys that ten of the busiest streams remember',
    is: ({ states }) => 10 * states.keysBytes,
    than: 'all states of streams that are kept',
    most: ({ states }) => states.keptBytes,
    unit: 'bytes',
  },
  {
    what: 'the body of a request',
    is: ({ http }) => http.bodyBytes,
    than: 'a commit of the log',
    most: ({ log }) => log.commit.bytes,
    unit: 'bytes',
  },
  {
    what: 'a body that is too long by as much again',
    is: ({ http }) => 2 * http.bodyBytes,
    than: 'what is read of a refused request before it is answered',
    most: ({ http }) => http.droppedBytes,
    unit: 'bytes',
  },
  {
    what: 'a page of messages, each a reply to one as large',
    is: ({ http, message }) => 2 * http.pageMessages * (JSON_CHARACTER * message.characters + message.embedBytes),
    than: 'the answers that wait to be read at one address',
    most: ({ http }) => http.connections.untakenPerAddress,
    unit: 'bytes',
  },
  {
    what: 'the answers that wait to be read at one address',
    is: ({ http }) => http.connections.untakenPerAddress,
    than: 'those that wait in all',
    most: ({ http }) => http.connections.untaken,
    unit: 'bytes',
  },
  {
    what: 'the queries of one person under way',
    is: ({ http }) => http.queries.perPerson,
    than: 'those of one address',
    most: ({ http }) => http.queries.perAddress,
    unit: 'queries',
  },
  {
    what: 'the queries of one address under way',
    is: ({ http }) => http.queries.perAddress,
    than: 'those of everybody',
    most: ({ http }) => http.queries.atOnce,
    unit: 'queries',
  },
  {
    what: 'a message at its largest',
    is: ({ log }) => log.messageBytes,
    than: 'what may wait for a slow socket',
    most: ({ socket }) => socket.budgetBytes,
    unit: 'bytes',
  },
  {
    what: 'what a session that begins is written at once',
    is: ({ socket }) => socket.paceBytes,
    than: 'what may wait for a slow socket',
    most: ({ socket }) => socket.budgetBytes,
    unit: 'bytes',
    equal: true,
  },
];

/** One sentence for each broken relation, with both numbers. */
export const brokenRelations = (budgets: AllBudgets): readonly string[] =>
  RELATIONS.flatMap(({ what, is, than, most, unit, equal }) => {
    const [value, limit] = [is(budgets), most(budgets)];
    if (value < limit || (equal && value === limit)) return [];
    const said = (n: number) => `${Math.round(n)} ${unit}`;
    const relation = equal ? 'may not be more than' : 'must be less than';
    return [`${what} (${said(value)}) ${relation} ${than} (${said(limit)})`];
  });

/** Call this at start. @throws Error that names every broken relation */
export const checkBudgets = (budgets: AllBudgets = ALL_BUDGETS): void => {
  const broken = brokenRelations(budgets);
  if (broken.length > 0) throw new Error(`These budgets do not fit together: ${broken.join('; ')}.`);
};

interface Given {
  readonly setting: Setting<number>;
  readonly of: (config: Config) => number;
  readonly put: (budgets: AllBudgets, value: number) => void;
}

const GIVEN: readonly Given[] = [
  {
    setting: settings.socketBudgetBytes,
    of: (config) => config.socketBudgetBytes,
    put: ({ socket }, value) => {
      socket.budgetBytes = value;
    },
  },
];

const GIVEN_IN_A_CLUSTER: readonly Given[] = [
  {
    setting: clusterSettings.cassandraTimeoutMs,
    of: ({ cluster }) => cluster.cassandraTimeoutMs,
    put: ({ cassandra }, value) => {
      cassandra.answerMs = value;
    },
  },
  {
    setting: clusterSettings.cassandraOpenMs,
    of: ({ cluster }) => cluster.cassandraOpenMs,
    put: ({ cassandra }, value) => {
      cassandra.openMs = value;
    },
  },
  {
    setting: clusterSettings.redisTimeoutMs,
    of: ({ cluster }) => cluster.redisTimeoutMs,
    put: ({ redis }, value) => {
      redis.answerMs = value;
    },
  },
  {
    setting: clusterSettings.redisOpenMs,
    of: ({ cluster }) => cluster.redisOpenMs,
    put: ({ redis }, value) => {
      redis.openMs = value;
    },
  },
];

/** The last whole number on the way from one that fits to one that does not. */
const lastThatFits = (good: number, bad: number, fits: (value: number) => boolean): number => {
  while (Math.abs(bad - good) > 1) {
    const middle = Math.trunc((good + bad) / 2);
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good;
};

/**
 * Variables whose values do not fit the budgets, although each is one that the variable accepts.
 * @returns a line for each: its name, what was given, the nearest value that fits, and why
 */
export const misfits = (config: Config): readonly string[] => {
  const clustered = config.profile === 'cluster';
  const given = clustered ? [...GIVEN, ...GIVEN_IN_A_CLUSTER] : GIVEN;
  // A single server redirects nobody.
  const redirects = clustered && hostsOf(config.cluster.redisUrl ?? '').includes(',');
  return given.flatMap(({ setting, of, put }) => {
    const brokenWith = (value: number): readonly string[] => {
      const budgets = structuredClone(ALL_BUDGETS);
      if (!redirects) budgets.redis.redirections = 0;
      put(budgets, value);
      return brokenRelations(budgets);
    };
    const value = of(config);
    const broken = brokenWith(value);
    if (broken.length === 0) return [];
    const nearest = lastThatFits(Number(setting.fallback), value, (one) => brokenWith(one).length === 0);
    const bound = nearest < value ? `at most ${nearest}` : `at least ${nearest}`;
    return [`${setting.variable}: given "${value}"; ${bound} fits: ${broken.join('; ')}`];
  });
};
