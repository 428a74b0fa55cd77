import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import { type Config, clusterSettings, settings } from '../schemas/settings.ts';
import { ALL_BUDGETS, type AllBudgets, brokenRelations, checkBudgets, misfits, RELATIONS } from './budgets.ts';
import { readConfig } from './environment.ts';

const changed = (change: (budgets: AllBudgets) => void): AllBudgets => {
  const budgets = structuredClone(ALL_BUDGETS);
  change(budgets);
  return budgets;
};

type Table = { [name: string]: number | Table };

/** Yields the table with one number replaced, for every number in it. */
function* withOneReplaced(by: number, at: readonly string[] = []): Generator<AllBudgets> {
  const place = at.reduce<number | Table>((table, name) => (table as Table)[name]!, ALL_BUDGETS as Table);
  if (typeof place !== 'number') {
    for (const name of Object.keys(place)) yield* withOneReplaced(by, [...at, name]);
    return;
  }
  yield changed((budgets) => {
    const table = at.slice(0, -1).reduce<Table>((inner, name) => inner[name] as Table, budgets as Table);
    table[at.at(-1)!] = by;
  });
}

describe('the budgets of all rooms', () => {
  it('fit together', () => {
    expect(brokenRelations(ALL_BUDGETS)).toEqual([]);
    expect(() => checkBudgets()).not.toThrow();
  });

  it('are all above zero', () => {
    const numbers = (table: Table): readonly number[] =>
      Object.values(table).flatMap((one) => (typeof one === 'number' ? [one] : numbers(one)));
    expect(Math.min(...numbers(ALL_BUDGETS as Table))).toBeGreaterThan(0);
  });

  it.each(RELATIONS.map(({ what, than }, at) => [what, than, at] as const))(
    'are refused unless %s stays below %s, with both numbers',
    (what, than, at) => {
      const { is, most, unit } = RELATIONS[at]!;
      for (const by of [0, 10_000_000_000]) {
        const broken = [...withOneReplaced(by)].filter((budgets) => is(budgets) > most(budgets));
        expect(broken.length).toBeGreaterThan(0);
        for (const budgets of broken) {
          const said = (n: number) => `(${Math.round(n)} ${unit})`;
          expect(() => checkBudgets(budgets)).toThrow(what);
          const sentence = brokenRelations(budgets).find(
            (one) => one.includes(what) && one.endsWith(said(most(budgets))),
          );
          expect(sentence).toContain(said(is(budgets)));
          expect(sentence).toContain(than);
        }
      }
    },
  );

  it('describe each broken relation in a sentence', () => {
    const slow = changed(({ kafka }) => {
      kafka.heartbeatMs = 2000;
    });
    expect(() => checkBudgets(slow)).toThrow(
      'These budgets do not fit together: three heartbeats of a consumer (6000 ms) must be less than its session (6000 ms).',
    );
    const large = changed(({ kafka, cassandra }) => {
      kafka.batchBytes = 2_000_000;
      cassandra.answerMs = 6000;
    });
    expect(brokenRelations(large)).toEqual([
      'a batch for Kafka (2000000 bytes) must be less than what a broker takes (1048588 bytes)',
      'two answers of Cassandra (12000 ms) may not be more than the time for the last batch of a consumer that leaves (10000 ms)',
      'one answer of the slowest store of the views (6000 ms) may not be more than the shortest time that anybody waits for the views (5000 ms)',
    ]);
  });
});

describe('the budgets that the configuration gives', () => {
  const SERVERS = {
    PARLEY_PROFILE: 'cluster',
    PARLEY_LOG_URL: 'postgres://127.0.0.1:1/log',
    PARLEY_VAULT_URL: 'postgres://127.0.0.1:1/vault',
    PARLEY_VIEWS_URL: 'postgres://127.0.0.1:1/views',
    PARLEY_REDIS_URL: 'redis://127.0.0.1:1',
    PARLEY_KAFKA_URL: 'kafka://127.0.0.1:1',
    PARLEY_CASSANDRA_URL: 'cassandra://127.0.0.1:1?dc=one',
  };
  const REDIS_CLUSTER = { PARLEY_REDIS_URL: 'redis://127.0.0.1:1,127.0.0.1:2' };
  const configOf = (environment: Readonly<Record<string, string>>): Config => {
    const config = readConfig(environment);
    if (either.isLeft(config)) throw new Error(config.left.join('; '));
    return config.right;
  };

  it.each([
    ['of the embedded profile', {}],
    ['of the cluster profile', SERVERS],
    ['of a Redis Cluster', { ...SERVERS, ...REDIS_CLUSTER }],
  ])('fit as they are when none is given: %s', (_, environment) => {
    expect(misfits(configOf(environment))).toEqual([]);
  });

  it.each([
    ['PARLEY_CASSANDRA_TIMEOUT_MS', 5000, 5001, 'at most', 'two answers of Cassandra (10002 ms) may not be more than'],
    ['PARLEY_CASSANDRA_OPEN_MS', 1000, 999, 'at least', 'a pause before connecting to Cassandra again (1000 ms)'],
    ['PARLEY_REDIS_TIMEOUT_MS', 1749, 1750, 'at most', 'the time that Redis is mistrusted (2000 ms)'],
    ['PARLEY_REDIS_OPEN_MS', 1000, 999, 'at least', 'the time it is left alone (999 ms)'],
  ])('are refused from the first value of %s that does not fit', (variable, last, first, bound, why) => {
    expect(misfits(configOf({ ...SERVERS, [variable]: String(last) }))).toEqual([]);
    const lines = misfits(configOf({ ...SERVERS, [variable]: String(first) }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`${variable}: given "${first}"; ${bound} ${last} fits: `);
    expect(lines[0]).toContain(why);
    // The embedded profile asks none of these servers.
    expect(misfits(configOf({ [variable]: String(first) }))).toEqual([]);
  });

  it('leave a Redis Cluster time for all tries, which a single server does not need', () => {
    const short = { ...SERVERS, PARLEY_REDIS_TIMEOUT_MS: '500' };
    expect(misfits(configOf(short))).toEqual([]);
    expect(misfits(configOf({ ...short, ...REDIS_CLUSTER }))).toEqual([
      'PARLEY_REDIS_TIMEOUT_MS: given "500"; at least 801 fits: all tries of one command in a Redis Cluster (800 ms) must be less than one answer of Redis (500 ms)',
    ]);
  });

  it('name every variable that does not fit, the farthest values too', () => {
    const lines = misfits(
      configOf({ ...SERVERS, PARLEY_CASSANDRA_TIMEOUT_MS: '600000', PARLEY_REDIS_TIMEOUT_MS: '600000' }),
    );
    expect(lines.map((line) => line.split(' fits')[0])).toEqual([
      'PARLEY_CASSANDRA_TIMEOUT_MS: given "600000"; at most 5000',
      'PARLEY_REDIS_TIMEOUT_MS: given "600000"; at most 1749',
    ]);
  });

  it('leave room for a session start in every socket that is accepted', () => {
    const { variable } = settings.socketBudgetBytes;
    expect(misfits(configOf({ [variable]: '131072' }))).toEqual([]);
    expect(misfits({ ...configOf({}), socketBudgetBytes: 98_304 })).toEqual([
      `${variable}: given "98304"; at least 98305 fits: a message at its largest (98304 bytes) must be less than what may wait for a slow socket (98304 bytes)`,
    ]);
  });

  it('begin from what the table says', () => {
    const { cassandraTimeoutMs, cassandraOpenMs, redisTimeoutMs, redisOpenMs } = clusterSettings;
    const { cassandra, redis } = ALL_BUDGETS;
    expect(
      [cassandraTimeoutMs, cassandraOpenMs, redisTimeoutMs, redisOpenMs].map((one) => Number(one.fallback)),
    ).toEqual([cassandra.answerMs, cassandra.openMs, redis.answerMs, redis.openMs]);
  });
});
