/** What a generation held at a position, as numbers that can be compared with another generation's. */
import { type RawBuilder, sql } from 'kysely';
import type { Postgres } from './connection.ts';
import { schemaOf } from './generations.ts';

export interface TableChecksum {
  readonly table: string;
  readonly count: number;
  /** Sixteen hexadecimal digits, whatever the order of the rows. */
  readonly checksum: string;
}

/**
 * Rows as they were at the position, whatever came since: both generations may go on meanwhile. Snapshots are left out,
 * which are taken when it suits, and how many joined by an invite, of which only the present is known.
 */
const rowsAt = (at: number): Readonly<Record<string, RawBuilder<unknown>>> => ({
  guilds: sql`SELECT * FROM guilds WHERE created_at <= ${at}`,
  guild_counts: sql`SELECT guild_id, members - coalesce(begun, 0) + coalesce(ended, 0)
    FROM guild_counts LEFT JOIN (
      SELECT guild_id, count(*) FILTER (WHERE joined_at > ${at} AND left_at IS NULL) AS begun,
        count(*) FILTER (WHERE joined_at <= ${at}) AS ended
      FROM memberships WHERE (joined_at > ${at} AND left_at IS NULL) OR left_at > ${at} GROUP BY guild_id
    ) since USING (guild_id)
    WHERE members - coalesce(begun, 0) + coalesce(ended, 0) <> 0`,
  channels: sql`SELECT * FROM channels WHERE created_at <= ${at}`,
  direct_channels: sql`SELECT d.* FROM direct_channels d JOIN channels c ON c.id = d.channel_id WHERE c.created_at <= ${at}`,
  memberships: sql`SELECT guild_id, user_id, joined_at, joined_time, CASE WHEN left_at <= ${at} THEN left_at END
    FROM memberships WHERE joined_at <= ${at}`,
  users: sql`SELECT * FROM users WHERE registered_at <= ${at}`,
  invites: sql`SELECT * FROM invites WHERE created_at <= ${at}`,
  redemptions: sql`SELECT * FROM redemptions WHERE position <= ${at}`,
  audiences: sql`SELECT * FROM audiences WHERE position <= ${at}`,
});

/**
 * Table by table, each gone through by the server itself. Two generations agree when all of theirs are equal.
 * @param at position that every partition of the generation has reached: the lowest checkpoint of both
 */
export async function* checksums(postgres: Postgres, generation: number, at: number): AsyncGenerator<TableChecksum> {
  const schema = schemaOf(generation);
  for (const [table, rows] of Object.entries(rowsAt(at)))
    yield await postgres.long((db) =>
      db.transaction().execute(async (all) => {
        await sql`SET LOCAL search_path TO ${sql.id(schema)}`.execute(all);
        const summed = await sql<{ count: number; sum: string }>`
          SELECT count(*) AS count, coalesce(sum(hashtextextended(r::text, 0)), 0)::text AS sum FROM (${rows}) r`.execute(
          all,
        );
        const { count, sum } = summed.rows[0]!;
        return { table, count, checksum: BigInt.asUintN(64, BigInt(sum)).toString(16).padStart(16, '0') };
      }),
    );
}
