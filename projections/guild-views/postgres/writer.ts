import type { Ask } from '../../postgres/connection.ts';
import { inserting, rowsOf } from '../../postgres/rows.ts';
import type { GuildChange } from '../port.ts';
import { GuildBatch } from './batch.ts';

const statementsOf = (schema: string) => ({
  guilds: inserting(`${schema}.guilds`),
  channels: inserting(`${schema}.channels`),
  directChannels: inserting(`${schema}.direct_channels`),
  users: inserting(`${schema}.users`),
  invites: inserting(`${schema}.invites`),
  ended: `UPDATE ${schema}.memberships m SET left_at = e.left_at FROM ${rowsOf(`${schema}.memberships`)} e
    WHERE m.guild_id = e.guild_id AND m.user_id = e.user_id AND m.left_at IS NULL
    RETURNING m.guild_id::text, -1 AS members`,
  begun: `${inserting(`${schema}.memberships`)} ON CONFLICT DO NOTHING
    RETURNING guild_id::text, CASE WHEN left_at IS NULL THEN 1 ELSE 0 END AS members`,
  counts: `INSERT INTO ${schema}.guild_counts AS c
    SELECT * FROM ${rowsOf(`${schema}.guild_counts`)} ORDER BY guild_id
    ON CONFLICT (guild_id) DO UPDATE SET members = c.members + excluded.members`,
  uses: `INSERT INTO ${schema}.invite_uses AS u SELECT * FROM ${rowsOf(`${schema}.invite_uses`)} ORDER BY code
    ON CONFLICT (code) DO UPDATE SET redeemed = u.redeemed + excluded.redeemed, joined = u.joined + excluded.joined`,
});

interface Counted {
  readonly guild_id: string;
  readonly members: number;
}

const summed = (changes: readonly Counted[]): readonly Counted[] => {
  const sums = new Map<string, number>();
  for (const { guild_id, members } of changes) sums.set(guild_id, (sums.get(guild_id) ?? 0) + members);
  return [...sums].flatMap(([guild_id, members]) => (members === 0 ? [] : { guild_id, members }));
};

/**
 * A row is told by one stream, which has one partition, which is held: nobody else writes it. Only the counters are
 * shared. They come last, because who has changed one keeps it until the end, and in an order that is the same for
 * everybody, so that no two wait for each other.
 */
export class PostgresGuildWriter {
  private readonly schema: string;
  private readonly statements: ReturnType<typeof statementsOf>;

  constructor(schema: string) {
    this.schema = schema;
    this.statements = statementsOf(schema);
  }

  /** @param ask within the transaction that holds the partition of these changes. */
  async write(ask: Ask, changes: readonly GuildChange[]): Promise<void> {
    const batch = new GuildBatch(changes);
    const run = async (name: keyof typeof this.statements, rows: readonly object[]): Promise<readonly Counted[]> => {
      if (rows.length === 0) return [];
      const text = this.statements[name];
      return ask({ name: `${this.schema} write ${name}`, text, values: [JSON.stringify(rows)] });
    };
    await run('guilds', batch.guilds);
    await run('channels', batch.channels);
    await run('directChannels', batch.directChannels);
    await run('users', batch.users);
    await run('invites', batch.invites);
    const ended = await run('ended', batch.ended());
    const begun = await run('begun', batch.begun());
    await run('counts', summed([...ended, ...begun]));
    await run('uses', batch.uses());
  }
}
