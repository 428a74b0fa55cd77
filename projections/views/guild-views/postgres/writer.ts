import { type Migration, sql } from 'kysely';
import type { Ask } from '../../../../stores/postgres/connection.ts';
import { inserting, rowsOf } from '../../../../stores/postgres/values.ts';
import {
  addedChannel,
  addedDirectChannels,
  addedGuild,
  addedInvite,
  addedRevision,
  addedSignOut,
  addedThread,
  addedUser,
  addedUserRevision,
  begunSpan,
  begunStay,
  enteredDirectChannel,
} from '../queries.ts';
import type { GuildTables } from '../tables.ts';
import type { GuildChange, MemberRow } from '../view.ts';

/** Bits 35, 36 and 38. */
const THREADS = String((1n << 35n) | (1n << 36n) | (1n << 38n));

/** Steps beyond those of `001-tables`. */
export const guildMigrations = (schema: string): Readonly<Record<string, Migration>> => ({
  '003-sign-outs': {
    async up(db) {
      await db.schema
        .withSchema(schema)
        .createTable('sign_outs')
        .addColumn('user_id', 'bigint', (column) => column.notNull())
        .addColumn('position', 'bigint', (column) => column.notNull())
        .addColumn('signed_out', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('sign_outs_pkey', ['user_id', 'position'])
        .execute();
    },
  },
  '006-revisions': {
    async up(db) {
      const within = db.schema.withSchema(schema);
      await within
        .createTable('revisions')
        .addColumn('guild_id', 'bigint', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('field', 'text', (column) => column.notNull())
        .addColumn('position', 'bigint', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('revisions_pkey', ['subject', 'field', 'position'])
        .execute();
      await within.createIndex('revisions_of_guild').on('revisions').columns(['guild_id', 'position']).execute();
    },
  },
  '007-user-revisions': {
    async up(db) {
      const within = db.schema.withSchema(schema);
      await within
        .createTable('user_revisions')
        .addColumn('user_id', 'bigint', (column) => column.notNull())
        .addColumn('field', 'text', (column) => column.notNull())
        .addColumn('position', 'bigint', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('user_revisions_pkey', ['user_id', 'field', 'position'])
        .execute();
      await within
        .createIndex('named')
        .on('user_revisions')
        .column('position')
        .where(sql.ref('field'), '=', sql.lit('administers'))
        .execute();
    },
  },
  '020-guild-life': {
    async up(db) {
      const within = db.schema.withSchema(schema);
      await within.alterTable('invites').addColumn('deleted_at', 'bigint').execute();
      await sql`create index public_guilds on ${sql.table(`${schema}.revisions`)} (position)
        where field = 'details' and value like '%"isPublic":true%'`.execute(db);
      // As the events of former versions are read now: whoever could write may create threads and write in them.
      await sql`update ${sql.table(`${schema}.guilds`)} set everyone = (everyone::bigint | ${sql.lit(THREADS)}::bigint)::text
        where (everyone::bigint & 2048) <> 0`.execute(db);
    },
  },
  '021-standings': {
    async up(db) {
      await db.schema
        .withSchema(schema)
        .createIndex('standings')
        .on('user_revisions')
        .column('position')
        .where(sql.ref('field'), '=', sql.lit('standing'))
        .execute();
    },
  },
  '022-open-spans': {
    async up(db) {
      await db.schema
        .withSchema(schema)
        .createIndex('open_spans')
        .on('thread_spans')
        .column('thread_id')
        .where(sql.ref('ended_at'), 'is', null)
        .execute();
    },
  },
  '004-counted': {
    async up(db) {
      const within = db.schema.withSchema(schema);
      await within
        .createIndex('users_of_owner')
        .on('users')
        .column('owner_id')
        .where(sql.ref('owner_id'), 'is not', null)
        .execute();
      await within.createIndex('invites_of_inviter').on('invites').columns(['guild_id', 'inviter_id']).execute();
    },
  },
  '008-threads': {
    async up(db) {
      const within = db.schema.withSchema(schema);
      await within
        .createTable('threads')
        .addColumn('id', 'bigint', (column) => column.primaryKey())
        .addColumn('guild_id', 'bigint', (column) => column.notNull())
        .addColumn('parent_id', 'bigint', (column) => column.notNull())
        .addColumn('is_private', 'integer', (column) => column.notNull())
        .addColumn('begun', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
      await within.createIndex('threads_of_channel').on('threads').columns(['parent_id', 'id']).execute();
      await within
        .createTable('thread_spans')
        .addColumn('thread_id', 'bigint', (column) => column.notNull())
        .addColumn('guild_id', 'bigint', (column) => column.notNull())
        .addColumn('began_at', 'bigint', (column) => column.notNull())
        .addColumn('ended_at', 'bigint')
        .addColumn('ended_time', 'bigint')
        .addPrimaryKeyConstraint('thread_spans_pkey', ['thread_id', 'began_at'])
        .execute();
      await within.createIndex('active_threads').on('thread_spans').columns(['guild_id', 'ended_at']).execute();
    },
  },
});

type Stay = GuildTables['memberships'];
type Span = GuildTables['thread_spans'];

/**
 * Rows of which at most one per key is open, in a batch: an earlier one may end, and others begin, of which all but the last
 * end too.
 */
class Periods<Row extends object, Key extends keyof Row, End extends keyof Row> {
  private readonly byKey = new Map<string, { ended: Pick<Row, Key | End> | undefined; readonly begun: Row[] }>();
  private readonly isOpen: (row: Row) => boolean;

  constructor(isOpen: (row: Row) => boolean) {
    this.isOpen = isOpen;
  }

  begin(key: string, row: Row): void {
    const { begun } = this.of(key);
    const last = begun.at(-1);
    if (last === undefined || !this.isOpen(last)) begun.push(row);
  }

  end(key: string, end: Pick<Row, Key | End>): void {
    const own = this.of(key);
    const last = own.begun.at(-1);
    if (last === undefined) own.ended ??= end;
    else if (this.isOpen(last)) own.begun[own.begun.length - 1] = { ...last, ...end };
  }

  private of(key: string) {
    let own = this.byKey.get(key);
    if (own === undefined) {
      own = { ended: undefined, begun: [] };
      this.byKey.set(key, own);
    }
    return own;
  }

  /** Ends of those that began before this batch. */
  get ended(): readonly Pick<Row, Key | End>[] {
    return [...this.byKey.values()].flatMap(({ ended }) => ended ?? []);
  }

  get begun(): readonly Row[] {
    return [...this.byKey.values()].flatMap(({ begun }) => begun);
  }
}

const keyOf = ({ guildId, userId }: Pick<MemberRow, 'guildId' | 'userId'>) => `${guildId}_${userId}`;

/** The changes of one batch, collected so that each table takes one statement, however many changes there are. */
class GuildBatch {
  readonly guilds: GuildTables['guilds'][] = [];
  readonly channels: GuildTables['channels'][] = [];
  readonly threads: GuildTables['threads'][] = [];
  readonly spans = new Periods<Span, 'thread_id', 'ended_at' | 'ended_time'>(({ ended_at }) => ended_at === null);
  readonly directChannels: GuildTables['direct_channels'][] = [];
  readonly revisions: GuildTables['revisions'][] = [];
  readonly users: GuildTables['users'][] = [];
  readonly signOuts: GuildTables['sign_outs'][] = [];
  readonly userRevisions: GuildTables['user_revisions'][] = [];
  readonly invites: GuildTables['invites'][] = [];
  readonly uninvited: Pick<GuildTables['invites'], 'code' | 'deleted_at'>[] = [];
  readonly redemptions: GuildTables['redemptions'][] = [];
  /** The invite of each joining, by the position of the joining event. */
  readonly invitedBy = new Map<number, string>();
  readonly stays = new Periods<Stay, 'guild_id' | 'user_id', 'left_at'>(({ left_at }) => left_at === null);

  constructor(changes: readonly GuildChange[]) {
    for (const change of changes) this.add(change);
  }

  private add(change: GuildChange): void {
    switch (change.kind) {
      case 'guild-added':
        this.guilds.push(addedGuild(change));
        return;
      case 'channel-added':
        this.channels.push(addedChannel(change));
        this.directChannels.push(...addedDirectChannels(change));
        return;
      case 'recipient-added':
        this.directChannels.push(enteredDirectChannel(change));
        return;
      case 'thread-added':
        this.threads.push(addedThread(change));
        this.spans.begin(change.thread.id, begunSpan(change.thread.id, change.thread.guildId!, change.position));
        return;
      case 'thread-active':
        this.spans.begin(change.threadId, begunSpan(change.threadId, change.guildId, change.position));
        return;
      case 'thread-archived': {
        const { threadId: thread_id, position: ended_at, time: ended_time } = change;
        this.spans.end(thread_id, { thread_id, ended_at, ended_time });
        return;
      }
      case 'member-joined':
        this.stays.begin(keyOf(change.member), begunStay(change));
        return;
      case 'member-left': {
        const { guildId: guild_id, userId: user_id, position: left_at } = change;
        this.stays.end(keyOf(change), { guild_id, user_id, left_at });
        return;
      }
      case 'revised':
        this.revisions.push(addedRevision(change));
        return;
      case 'user-added':
        this.users.push(addedUser(change));
        return;
      case 'user-signed-out':
        this.signOuts.push(addedSignOut(change));
        return;
      case 'user-revised':
        this.userRevisions.push(addedUserRevision(change));
        return;
      case 'invite-added':
        this.invites.push(addedInvite(change));
        return;
      case 'invite-removed':
        this.uninvited.push({ code: change.code, deleted_at: change.position });
        return;
      case 'invite-used': {
        const { code, position } = change;
        if (change.capped) this.redemptions.push({ code, position });
        else this.invitedBy.set(position, code);
        return;
      }
    }
  }
}

const statementsOf = (schema: string) => ({
  guilds: inserting(`${schema}.guilds`),
  channels: inserting(`${schema}.channels`),
  threads: inserting(`${schema}.threads`),
  spans: inserting(`${schema}.thread_spans`),
  endedSpans: `UPDATE ${schema}.thread_spans s SET ended_at = e.ended_at, ended_time = e.ended_time
    FROM ${rowsOf(`${schema}.thread_spans`)} e
    WHERE s.thread_id = e.thread_id AND s.ended_at IS NULL AND s.began_at < e.ended_at`,
  directChannels: inserting(`${schema}.direct_channels`),
  revisions: inserting(`${schema}.revisions`),
  users: inserting(`${schema}.users`),
  signOuts: inserting(`${schema}.sign_outs`),
  userRevisions: inserting(`${schema}.user_revisions`),
  invites: inserting(`${schema}.invites`),
  uninvited: `UPDATE ${schema}.invites i SET deleted_at = e.deleted_at FROM ${rowsOf(`${schema}.invites`)} e
    WHERE i.code = e.code AND i.deleted_at IS NULL`,
  redemptions: inserting(`${schema}.redemptions`),
  // Also correct if this batch is repeated after a membership that began later.
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

/** Sum per key, without those that cancel out. */
const summed = (changes: Iterable<readonly [key: string, change: number]>): readonly [string, number][] => {
  const sums = new Map<string, number>();
  for (const [key, change] of changes) sums.set(key, (sums.get(key) ?? 0) + change);
  return [...sums].filter(([, sum]) => sum !== 0);
};

/**
 * One stream determines a row. The stream belongs to one partition, and this transaction locks it, so nobody else
 * writes the row. Only the counters are shared. They are written last, because each stays locked until the end of the
 * transaction, and always in the same order, so that transactions cannot deadlock. They count rows that really changed,
 * so nothing is counted twice.
 */
export class PostgresGuildWriter {
  private readonly schema: string;
  private readonly statements: ReturnType<typeof statementsOf>;

  constructor(schema: string) {
    this.schema = schema;
    this.statements = statementsOf(schema);
  }

  /** @param ask within the transaction that locks the partition of these changes */
  async write(ask: Ask, changes: readonly GuildChange[]): Promise<void> {
    const batch = new GuildBatch(changes);
    const run = async <Row>(
      name: keyof ReturnType<typeof statementsOf>,
      rows: readonly object[],
    ): Promise<readonly Row[]> => {
      if (rows.length === 0) return [];
      const text = this.statements[name];
      return ask({ name: `${this.schema} write ${name}`, text, values: [JSON.stringify(rows)] });
    };
    await run('guilds', batch.guilds);
    await run('channels', batch.channels);
    await run('directChannels', batch.directChannels);
    await run('threads', batch.threads);
    await run('endedSpans', batch.spans.ended);
    await run('spans', batch.spans.begun);
    await run('revisions', batch.revisions);
    await run('users', batch.users);
    await run('signOuts', batch.signOuts);
    await run('userRevisions', batch.userRevisions);
    await run('invites', batch.invites);
    await run('uninvited', batch.uninvited);
    await run('redemptions', batch.redemptions);
    const ended = await run<Pick<Stay, 'guild_id'>>('ended', batch.stays.ended);
    const begun = await run<Pick<Stay, 'guild_id' | 'joined_at' | 'left_at'>>('begun', batch.stays.begun);
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
