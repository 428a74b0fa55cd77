import type { Ask } from '../../postgres/connection.ts';
import { inserting, rowsOf } from '../../postgres/rows.ts';
import type { GuildChange } from '../port.ts';
import type { GuildTables } from '../tables.ts';
import { GuildBatch } from './batch.ts';

const statementsOf = (schema: string) => ({
  guilds: inserting(`${schema}.guilds`),
  channels: inserting(`${schema}.channels`),
  directChannels: inserting(`${schema}.direct_channels`),
  users: inserting(`${schema}.users`),
  invites: inserting(`${schema}.invites`),
  redemptions: inserting(`${schema}.redemptions`),
  // Also when this comes again after a stay that began later.
  ended: `UPDATE ${schema}.memberships m SET left_at = e.left_at FROM ${rowsOf(`${schema}.memberships`)} e
    WHERE m.guild_id = e.guild_id AND m.user_id = e.user_id AND m.left_at IS NULL AND m.joined_at < e.left_at
    RETURNING m.guild_id::text`,
  begun: `${inserting(`${schema}.memberships`)} RETURNING guild_id::text, joined_at, left_at`,
  counts: `INSERT INTO ${schema}.guild_counts AS c
    SELECT * FROM ${rowsOf(`${schema}.guild_counts`)} ORDER BY guild_id
    ON CONFLICT (guild_id) DO UPDATE SET members = c.members + excluded.members`,
  inviteCounts: `INSERT INTO ${schema}.invite_counts AS c
    SELECT * FROM ${rowsOf(`${schema}.invite_counts`)} ORDER BY code
    ON CONFLICT (code) DO UPDATE SET joined = c.joined + excluded.joined`,
});

/** How often each came, without those that came to nothing. */
const summed = (changes: Iterable<readonly [key: string, change: number]>): readonly [string, number][] => {
  const sums = new Map<string, number>();
  for (const [key, change] of changes) sums.set(key, (sums.get(key) ?? 0) + change);
  return [...sums].filter(([, sum]) => sum !== 0);
};

type Stay = GuildTables['memberships'];

/**
 * A row is told by one stream, which has one partition, which is held: nobody else writes it. Only the counters are
 * shared. They come last, because who has changed one keeps it until the end, and in an order that is the same for
 * everybody, so that no two wait for each other. They count rows that were really changed, so nothing is counted twice.
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
    const run = async <Row>(name: keyof typeof this.statements, rows: readonly object[]): Promise<readonly Row[]> => {
      if (rows.length === 0) return [];
      const text = this.statements[name];
      return ask({ name: `${this.schema} write ${name}`, text, values: [JSON.stringify(rows)] });
    };
    await run('guilds', batch.guilds);
    await run('channels', batch.channels);
    await run('directChannels', batch.directChannels);
    await run('users', batch.users);
    await run('invites', batch.invites);
    await run('redemptions', batch.redemptions);
    const ended = await run<Pick<Stay, 'guild_id'>>('ended', batch.ended());
    const begun = await run<Pick<Stay, 'guild_id' | 'joined_at' | 'left_at'>>('begun', batch.begun());
    const counts = summed([
      ...ended.map(({ guild_id }) => [guild_id, -1] as const),
      ...begun.map(({ guild_id, left_at }) => [guild_id, left_at === null ? 1 : 0] as const),
    ]);
    const invited = summed(
      begun.flatMap(({ joined_at }) => {
        const code = batch.invitedBy.get(joined_at);
        return code === undefined ? [] : [[code, 1] as const];
      }),
    );
    await run(
      'counts',
      counts.map(([guild_id, members]) => ({ guild_id, members })),
    );
    await run(
      'inviteCounts',
      invited.map(([code, joined]) => ({ code, joined })),
    );
  }
}
