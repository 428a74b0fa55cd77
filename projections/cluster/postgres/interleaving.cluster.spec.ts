import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { guildAudience, userAudience } from '../../../schemas/streams.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { partitionOf } from '../../engine/partitions.ts';
import { Story } from '../../testing.ts';
import { audienceTables, SqliteAudiences } from '../../views/audience-index/sql.ts';
import { type AudienceReader, audienceEntries } from '../../views/audience-index/view.ts';
import { GuildCache, SqliteGuildReader } from '../../views/guild-views/sqlite/reader.ts';
import { guildTables, SqliteGuildWriter } from '../../views/guild-views/sqlite/writer.ts';
import { type GuildReader, guildChanges } from '../../views/guild-views/view.ts';
import { PARTITIONS, type TestPostgres, type TestViews, testPostgres, viewsOn } from './testing.ts';

const GUILDS = ['20', '21'];
const USERS = ['9', '10', '11', '100'];
const CHANNELS = ['30', '31', '32', '33', '34', '35'];
const GROUPS = ['60', '61'];
const INVITES = ['capped', 'open'];

const step = fc.record({
  kind: fc.constantFrom(
    'guild',
    'channel',
    'direct',
    'user',
    'invite',
    'redeem',
    'come',
    'come',
    'come',
    'post',
    'gather',
    'uninvite',
    'revise',
    'revise',
  ),
  guild: fc.nat(GUILDS.length - 1),
  user: fc.nat(USERS.length - 1),
  invite: fc.option(fc.nat(INVITES.length - 1)),
  channel: fc.nat(CHANNELS.length - 1),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Every event the domain would allow if streams knew nothing of each other. */
const told = (steps: readonly Step[]): Story => {
  const story = new Story();
  const once = new Set<string>();
  const first = (name: string): boolean => !once.has(name) && once.add(name) !== undefined;
  const members = new Set<string>();
  for (const one of steps) {
    const guild = GUILDS[one.guild]!;
    const user = USERS[one.user]!;
    const channel = CHANNELS[one.channel]!;
    const invite = one.invite === null ? null : INVITES[one.invite]!;
    if (one.kind === 'guild' && first(`guild ${guild}`)) story.guild(guild, user);
    if (one.kind === 'channel' && first(`channel ${channel}`)) story.channel(channel, guild);
    if (one.kind === 'direct' && one.user > 0 && first(`channel ${channel}`)) story.direct(channel, user, USERS[0]!);
    if (one.kind === 'user' && first(`user ${user}`)) {
      if (one.guild === 0) story.user(user);
      else story.user(user, 'bot', USERS[0]!);
    }
    if (one.kind === 'invite' && invite !== null && first(`invite ${invite}`))
      story.invite(invite, guild, '30', user, invite === 'capped' ? 5 : 0);
    if (one.kind === 'redeem' && once.has('invite capped')) story.redeem('capped', guild, user);
    if (one.kind === 'gather') {
      const group = GROUPS[one.guild]!;
      const stay = `${group}_${user}`;
      if (first(`channel ${group}`)) story.group(group, user);
      else if (members.has(stay)) story.exit(group, user);
      else story.enter(group, user, user);
      if (!members.delete(stay)) members.add(stay);
      if (one.channel === 0) story.editGroup(group, `called ${user}`, user);
    }
    if (one.kind === 'post') story.post(channel, user);
    if (one.kind === 'uninvite' && invite !== null && once.has(`invite ${invite}`) && first(`no ${invite}`))
      story.deleteInvite(invite, guild, '30');
    if (one.kind === 'revise') {
      if (one.channel === 0) story.role(guild, '70', String(one.user), one.user);
      if (one.channel === 1) story.deleteRole(guild, '70');
      if (one.channel === 2) story.giveRoles(guild, user, ['70']);
      if (one.channel === 3) story.overwrite(CHANNELS[one.user]!, guild, { id: '70', type: 0, allow: '0', deny: user });
      if (one.channel === 4)
        story.editChannel(CHANNELS[one.user]!, guild, { name: `called ${user}`, position: one.user });
      if (one.channel === 5) story.editGuild(guild, { name: `called ${user}` });
    }
    if (one.kind === 'come') {
      const member = `${guild}_${user}`;
      if (members.delete(member)) story.leave(guild, user);
      else {
        members.add(member);
        story.join(guild, user, invite);
      }
    }
  }
  return story;
};

/** Guilds, channels and members, and what is counted: all that can be read as of a position. */
const placesIn = async (guilds: GuildReader) => ({
  guilds: await Promise.all(GUILDS.map((id) => guilds.guild(id))),
  channels: await Promise.all([...CHANNELS, ...GROUPS].map((id) => guilds.channel(id))),
  lists: await Promise.all(GUILDS.map((id) => guilds.channelsOf(id))),
  members: await Promise.all(GUILDS.map((id) => guilds.members(id, { limit: 10 }))),
  some: await Promise.all(GUILDS.map((id) => guilds.members(id, { after: '9', limit: 2 }))),
  member: await Promise.all(USERS.map((id) => guilds.member(GUILDS[0]!, id))),
  of: await Promise.all(USERS.map((id) => guilds.guildsOf(id))),
  direct: await Promise.all(USERS.map((id) => guilds.directChannelsOf(id))),
  stays: await Promise.all(USERS.map((id) => guilds.memberships(id, 3))),
  applications: await Promise.all(USERS.map((id) => guilds.countApplications(id))),
  invited: await Promise.all(GUILDS.flatMap((guild) => USERS.map((id) => guilds.countOpenInvites(guild, id, 0)))),
});

const everythingIn = async (guilds: GuildReader, audiences: AudienceReader) => {
  const named = [...GUILDS.map(guildAudience), ...USERS.map(userAudience)];
  return {
    ...(await placesIn(guilds)),
    users: [...(await guilds.users(USERS))].sort((a, b) => Number(a.id) - Number(b.id)),
    invites: await Promise.all(INVITES.map((code) => guilds.invite(code))),
    administrator: await guilds.administrator(),
    administrators: await guilds.administrators(),
    entries: await Promise.all(named.map((audience) => audiences.between([audience], 0, 1000, 1000))),
  };
};

/** The embedded views, which apply all events in position order. */
const inOrder = (events: readonly ParleyEvent[]) => {
  const db = memoryDatabase(guildTables + audienceTables);
  const cache = new GuildCache();
  new SqliteGuildWriter(db, cache).apply(guildChanges(events));
  const audiences = new SqliteAudiences(db, new TimeSlices(systemClock));
  audiences.apply(audienceEntries(events));
  return { guilds: new SqliteGuildReader(db, cache, new TimeSlices(systemClock)), audiences };
};

describe('partitions applied in any relative order', () => {
  let postgres: TestPostgres;
  let generation: number;
  beforeAll(async () => {
    postgres = await testPostgres();
  });
  afterAll(() => postgres.drop());

  /** Random partitions get batches of random length from one of two stores; some batches are repeated. */
  const applied = async (events: readonly ParleyEvent[], choices: Iterator<number>): Promise<TestViews> => {
    const stores = [postgres.views(generation), postgres.views(generation)];
    for (const { store } of stores) await store.checkpoints();
    const head = events.length;
    const waiting = Array.from({ length: PARTITIONS }, (_, partition) => ({
      partition,
      from: 0,
      events: events.filter((event) => partitionOf(event.stream, PARTITIONS) === partition),
      by: stores[partition % 2]!.store,
    }));
    const next = (below: number) => (choices.next().value as number) % below;
    for (;;) {
      const open = waiting.filter(({ from }) => from < head);
      if (open.length === 0) break;
      const one = open[next(open.length)]!;
      const taken = one.events.splice(0, next(6));
      const through = one.events.length === 0 ? head : (taken.at(-1)?.position ?? one.from);
      const batch = { partition: one.partition, from: one.from, events: taken, through };
      await one.by.commit(batch);
      if (next(4) === 0) await one.by.commit(batch);
      one.from = through;
    }
    for (const { store } of stores) await store.flush();
    return stores[0]!;
  };

  it('give the same rows as position order, and answer for every position as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 50 }),
        fc.infiniteStream(fc.nat()),
        fc.nat(),
        async (steps, choices, then) => {
          generation = await postgres.emptied();
          const events = told(steps).log.all;
          const views = await applied(events, choices);
          const expected = inOrder(events);
          expect(await everythingIn(views.guilds, views.audiences)).toEqual(
            await everythingIn(expected.guilds, expected.audiences),
          );
          const position = then % (events.length + 1);
          const before = inOrder(events.slice(0, position));
          expect(await placesIn(views.guildsAt(position))).toEqual(await placesIn(before.guilds));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('never deadlock and never lose a count when all are applied at once', async () => {
    generation = await postgres.generation();
    const story = new Story();
    const guilds = ['40', '41', '42', '43', '44'];
    const codes = guilds.map((id) => `code-${id}`);
    for (const id of guilds) story.invite(`code-${id}`, id, '30', '1');
    for (let user = 1000; user < 1300; user += 1) {
      const order = user % 2 === 0 ? guilds : [...guilds].reverse();
      for (const id of order) story.join(id, String(user), `code-${id}`);
    }
    for (let user = 1000; user < 1300; user += 3) for (const id of guilds) story.leave(id, String(user));
    for (const id of guilds) story.guild(id, '1');
    const events = story.log.all;
    const head = events.length;
    const follow = async (partition: number) => {
      const { store } = viewsOn(postgres.client, generation);
      const own = events.filter((event) => partitionOf(event.stream, PARTITIONS) === partition);
      for (let at = 0, from = 0; from < head; at += 20) {
        const batch = own.slice(at, at + 20);
        const through = at + 20 >= own.length ? head : batch.at(-1)!.position;
        await store.commit({ partition, from, events: batch, through });
        from = through;
      }
      await store.flush();
    };
    await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => follow(partition)));
    const { guilds: reader } = postgres.views(generation);
    expect(await Promise.all(guilds.map(async (id) => (await reader.guild(id))?.memberCount))).toEqual(
      guilds.map(() => 200),
    );
    expect(await Promise.all(codes.map(async (code) => (await reader.invite(code))?.uses))).toEqual(
      codes.map(() => 300),
    );
  });
});
