import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import { openPostgres } from '../../../stores/postgres/connection.ts';
import { Story } from '../../testing.ts';
import { type TestPostgres, testPostgres } from './testing.ts';
import { checksums, dropGeneration, listGenerations, prepareGeneration, type TableChecksum } from './views.ts';

const GUILD = '20';
const ANN = '10';
const BOB = '11';

const told = (): Story => {
  const story = new Story();
  story.user(ANN);
  story.user(BOB);
  story.guild(GUILD, ANN);
  story.channel('30', GUILD);
  story.join(GUILD, ANN);
  story.invite('code', GUILD, '30', ANN);
  story.join(GUILD, BOB, 'code');
  story.direct('40', ANN, BOB);
  story.leave(GUILD, BOB);
  return story;
};

/** Of the step that adds the heads of streams, and of those after it. */
const LATER_TABLES = [
  ...['stream_heads', 'stream_heads_missing', 'revisions', 'bans', 'user_revisions', 'threads', 'thread_spans'],
  ...['audit_log', 'reports', 'report_answers'],
];

describe('generations of the guild views', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await testPostgres();
  });
  afterAll(() => postgres.drop());

  const sums = async (generation: number, at: number): Promise<readonly TableChecksum[]> => {
    const found: TableChecksum[] = [];
    for await (const one of checksums(postgres.client, generation, at)) found.push(one);
    return found;
  };
  const differing = async (one: number, other: number, at: number): Promise<readonly string[]> => {
    const others = await sums(other, at);
    return (await sums(one, at)).filter((sum, n) => sum.checksum !== others[n]!.checksum).map(({ table }) => table);
  };

  it('can be created, listed and dropped side by side', async () => {
    const { client } = postgres;
    const old = await postgres.generation();
    const next = await postgres.generation();
    expect(await listGenerations(client)).toEqual([old, next]);
    const [ofOld, ofNext] = [postgres.views(old), postgres.views(next)];
    await ofOld.apply(told().log.all);
    expect(await ofNext.guilds.guild(GUILD)).toBeUndefined();
    expect(await ofNext.store.checkpoints()).toEqual([0, 0, 0, 0]);
    await prepareGeneration(client, old);
    expect((await ofOld.guilds.guild(GUILD))?.memberCount).toBe(1);
    await ofNext.apply(told().log.all);
    await dropGeneration(client, old);
    await dropGeneration(client, old);
    expect(await listGenerations(client)).toEqual([next]);
    expect((await ofNext.guilds.guild(GUILD))?.memberCount).toBe(1);
    await dropGeneration(client, next);
  });

  it('are created once when several processes start together', async () => {
    const clients = await Promise.all(
      Array.from({ length: 5 }, () => openPostgres({ clock: systemClock, url: postgres.url })),
    );
    await Promise.all(clients.map((client) => prepareGeneration(client, 70)));
    await postgres.views(70).apply(told().log.all);
    await dropGeneration(postgres.client, 70);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('are refused if a newer Parley created them', async () => {
    const generation = await postgres.generation();
    await postgres.client.ask({
      text: `INSERT INTO views_g${generation}.migrations (name, timestamp) VALUES ('999-of-tomorrow', '')`,
    });
    await expect(prepareGeneration(postgres.client, generation)).rejects.toThrow(/newer.*999-of-tomorrow/);
  });

  it('know that heads of streams are missing where the table was added to them in use', async () => {
    const generation = await postgres.generation();
    const views = postgres.views(generation);
    expect(await views.streams.isComplete()).toBe(true);
    await views.apply(told().log.all);
    const schema = `views_g${generation}`;
    for (const text of [
      `DROP TABLE ${LATER_TABLES.map((table) => `${schema}.${table}`)}`,
      `ALTER TABLE ${schema}.invites DROP COLUMN deleted_at`,
      `DELETE FROM ${schema}.migrations WHERE name >= '005-stream-heads'`,
    ])
      await postgres.client.ask({ text });
    await prepareGeneration(postgres.client, generation);
    expect(await views.streams.isComplete()).toBe(false);
    expect(await views.streams.page({ prefix: '', after: '', limit: 9 })).toEqual([]);
  });

  it('must be rebuilt if tables are missing', async () => {
    const { store } = postgres.views(404);
    const failure = await store.checkpoints().catch((error: unknown) => error);
    expect(store.classify(failure)).toBe('damaged');
  });

  it('have equal checksums at a position, even after one of them has moved on', async () => {
    const [ahead, behind] = [await postgres.generation(), await postgres.generation()];
    const story = told();
    const at = story.log.all.length;
    await postgres.views(behind).apply(story.log.all);
    story.user('12');
    story.guild('21', BOB);
    story.join(GUILD, BOB);
    story.join('21', BOB);
    story.leave(GUILD, ANN);
    story.channel('31', GUILD);
    story.direct('41', ANN, '12');
    story.invite('later', GUILD, '30', ANN, 5);
    story.redeem('later', GUILD, BOB);
    await postgres.views(ahead).apply(story.log.all);
    const found = await sums(behind, at);
    expect(await sums(ahead, at)).toEqual(found);
    expect(Object.fromEntries(found.map(({ table, count }) => [table, count]))).toEqual({
      guilds: 1,
      guild_counts: 1,
      channels: 2,
      direct_channels: 2,
      memberships: 2,
      users: 2,
      invites: 1,
      redemptions: 0,
      pins: 0,
      bans: 0,
      audit_log: 8,
      reports: 0,
      report_answers: 0,
      threads: 0,
      thread_spans: 0,
      sign_outs: 0,
      user_revisions: 0,
      audiences: 15,
      stream_heads: 9,
      revisions: 0,
    });
    expect(await differing(ahead, behind, story.log.all.length)).toHaveLength(11);
    await postgres.views(behind).apply(story.since(at));
    expect(await differing(ahead, behind, story.log.all.length)).toEqual([]);
  });

  it('have different checksums when a row is missing or changed', async () => {
    const [right, wrong] = [await postgres.generation(), await postgres.generation()];
    const { all } = told().log;
    for (const generation of [right, wrong]) await postgres.views(generation).apply(all);
    const spoil = (text: string) =>
      postgres.client.ask({ text: text.replace(/(UPDATE|FROM) (\w+)/, `$1 views_g${wrong}.$2`) });
    await spoil('UPDATE guild_counts SET members = members + 1');
    await spoil(`UPDATE channels SET topic = '"another"' WHERE id = 30`);
    await spoil(`DELETE FROM audiences WHERE audience = 'user:10' AND position = 1`);
    await spoil('UPDATE memberships SET left_at = NULL');
    const tables = await differing(right, wrong, all.length);
    expect([...tables].sort()).toEqual(['audiences', 'channels', 'guild_counts', 'memberships']);
  });
});
