import { type Kysely, sql } from 'kysely';
import type { Postgres } from '../../postgres/connection.ts';
import { boundOf, idKey, NOBODY } from '../../postgres/ids.ts';
import { type Build, statement } from '../../statement.ts';
import type { ChannelRow, GuildReader, GuildRow, InviteRow, MemberRow, Membership, UserRow } from '../port.ts';
import { guildQueries } from '../queries.ts';
import { channelOf, guildOf, memberOf, userOf } from '../rows.ts';
import type { GuildTables } from '../tables.ts';

type Id = string;

/** Questions of one generation, built once. */
export const guildQuestions = (postgres: Postgres, schema: string) => {
  const ask = guildQueries((postgres.kysely as unknown as Kysely<GuildTables>).withSchema(schema));
  const plain = <Given extends readonly unknown[], Row>(name: string, build: Build<Given, Row>) =>
    postgres.prepared(`${schema} ${name}`, statement(build));
  const dated = <Given extends readonly unknown[], Row>(
    name: string,
    build: Build<[at: number | undefined, ...given: Given], Row>,
  ) => {
    const now = statement<Given, Row>((...given) => build(undefined, ...given), build.length - 1);
    const askNow = postgres.prepared(`${schema} ${name}`, now);
    const askAt = postgres.prepared(`${schema} ${name} at`, statement(build));
    return (at: number | undefined, ...given: Given) => (at === undefined ? askNow(...given) : askAt(at, ...given));
  };
  return {
    guild: dated('guild', ask.guild),
    guildsOf: dated('guilds of', ask.guildsOf),
    channel: dated('channel', ask.channel),
    channelsOf: dated('channels of', ask.channelsOf),
    directChannelsOf: dated('direct channels of', ask.directChannelsOf),
    member: dated('member', ask.member),
    members: dated('members', ask.members),
    memberships: dated('memberships', ask.memberships),
    users: plain('users', (ids: readonly Id[]) => ask.users().where(sql<boolean>`u.id = any(${ids}::bigint[])`)),
    invite: plain('invite', ask.invite),
    administrator: plain('administrator', ask.administrator),
  };
};

export type GuildQuestions = ReturnType<typeof guildQuestions>;

export class PostgresGuildReader implements GuildReader {
  private readonly ask: GuildQuestions;
  private readonly at: number | undefined;

  /**
   * @param at position as of which guilds, channels, members and stays are told; users and invites always as they are.
   * Every event at or below it must have been applied.
   */
  constructor(ask: GuildQuestions, at?: number) {
    this.ask = ask;
    this.at = at;
  }

  async guild(id: Id): Promise<GuildRow | undefined> {
    const [row] = await this.ask.guild(this.at, idKey(id));
    return row && guildOf(row);
  }

  async channel(id: Id): Promise<ChannelRow | undefined> {
    const [row] = await this.ask.channel(this.at, idKey(id));
    return row && channelOf(row, row.place);
  }

  async channelsOf(guildId: Id): Promise<readonly ChannelRow[]> {
    return (await this.ask.channelsOf(this.at, idKey(guildId))).map(channelOf);
  }

  async member(guildId: Id, userId: Id): Promise<MemberRow | undefined> {
    const [row] = await this.ask.member(this.at, idKey(guildId), idKey(userId));
    return row && memberOf(guildId, row);
  }

  async members(guildId: Id, { after, limit }: { after?: Id; limit: number }): Promise<readonly MemberRow[]> {
    const beyond = after === undefined ? NOBODY : boundOf(after);
    return (await this.ask.members(this.at, idKey(guildId), beyond, limit)).map((row) => memberOf(guildId, row));
  }

  async guildsOf(userId: Id): Promise<readonly GuildRow[]> {
    return (await this.ask.guildsOf(this.at, idKey(userId))).map(guildOf);
  }

  memberships(userId: Id, since: number): Promise<readonly Membership[]> {
    return this.ask.memberships(this.at, idKey(userId), since);
  }

  async directChannelsOf(userId: Id): Promise<readonly ChannelRow[]> {
    return (await this.ask.directChannelsOf(this.at, idKey(userId))).map((row) => channelOf(row, 0));
  }

  async user(id: Id): Promise<UserRow | undefined> {
    return (await this.users([id]))[0];
  }

  async users(ids: readonly Id[]): Promise<readonly UserRow[]> {
    return ids.length === 0 ? [] : (await this.ask.users(ids.map(idKey))).map(userOf);
  }

  async invite(code: string): Promise<InviteRow | undefined> {
    return (await this.ask.invite(code))[0];
  }

  async administrator(): Promise<Id | undefined> {
    return (await this.ask.administrator())[0]?.id;
  }
}
