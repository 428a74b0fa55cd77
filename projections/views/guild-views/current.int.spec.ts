import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { type Bond, NO_BOND } from '../../../schemas/events/relationship.ts';
import { PLAIN_NOTIFICATIONS } from '../../../schemas/events/settings.ts';
import { TimeSlices } from '../../../schemas/time-slices.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { Story } from '../../testing.ts';
import { CachedGuilds } from './cached.ts';
import { CurrentGuilds } from './current.ts';
import { RecentGuildChanges } from './recent.ts';
import { GuildCache, SqliteGuildReader } from './sqlite/reader.ts';
import { guildTables, SqliteGuildWriter } from './sqlite/writer.ts';
import { type GuildReader, guildChanges } from './view.ts';

const USERS = ['1', '2', '3', '12'];
const GUILDS = ['20', '21'];
const CHANNELS = ['30', '31', '32', '40', '41'];
const THREADS = ['50', '51'];
const ROLES = ['60', '61'];
const CODES = ['capped', 'open'] as const;
const CAPS = { capped: 3, open: 0 };

const viewsOf = (events: readonly ParleyEvent[]) => {
  const db = memoryDatabase(guildTables);
  const cache = new GuildCache();
  const writer = new SqliteGuildWriter(db, cache);
  const apply = (some: readonly ParleyEvent[]) => writer.apply(guildChanges(some));
  apply(events);
  return { apply, reader: new SqliteGuildReader(db, cache, new TimeSlices(systemClock)), close: () => db.close() };
};

/** Views that hold `held` of these events; the node has received the others. */
const lateViews = (events: readonly ParleyEvent[], held: number) => {
  const { reader, close } = viewsOf(events.filter(({ position }) => position <= held));
  const recent = new RecentGuildChanges(() => held);
  for (const event of events) if (event.position > held) recent.heard(event);
  return {
    recent,
    close,
    current: new CurrentGuilds({ recent, held: () => held, now: reader, storedAt: () => reader }),
  };
};

/** Everything that a reader can say. */
const all = async (guilds: GuildReader) => ({
  guilds: await Promise.all(GUILDS.map((id) => guilds.guild(id))),
  channels: await Promise.all(CHANNELS.map((id) => guilds.channel(id))),
  channelsOf: await Promise.all(GUILDS.map((id) => guilds.channelsOf(id))),
  members: await Promise.all(GUILDS.flatMap((id) => USERS.map((userId) => guilds.member(id, userId)))),
  pages: await Promise.all(
    GUILDS.flatMap((id) => [
      guilds.members(id, { limit: 2 }),
      guilds.members(id, { after: '1', limit: 2 }),
      guilds.members(id, { limit: 10 }),
    ]),
  ),
  guildsOf: await Promise.all(USERS.map((id) => guilds.guildsOf(id))),
  memberships: await Promise.all(USERS.flatMap((id) => [guilds.memberships(id, 0), guilds.memberships(id, 5)])),
  direct: await Promise.all(USERS.map((id) => guilds.directChannelsOf(id))),
  users: await Promise.all(USERS.map((id) => guilds.user(id))),
  someUsers: [...(await guilds.users(USERS))].sort((a, b) => Number(a.id) - Number(b.id)),
  invites: await Promise.all(CODES.map((code) => guilds.invite(code))),
  invitesOf: await Promise.all(GUILDS.map((id) => guilds.invitesOf(id))),
  threads: await Promise.all(THREADS.map((id) => guilds.channel(id))),
  threadsOf: await Promise.all(GUILDS.flatMap((id) => [guilds.threadsOf(id), guilds.threadsOf(id, 12)])),
  revisions: await Promise.all(
    USERS.flatMap((id) => [
      guilds.revisions(id, { guildIds: GUILDS, after: 0, limit: 100 }),
      guilds.revisions(id, { guildIds: GUILDS, after: 8, limit: 3 }),
    ]),
  ).then((all) => all.flat().map(({ position, subject, field, value }) => ({ position, subject, field, value }))),
  relationships: await Promise.all(USERS.map((id) => guilds.relationships(id))),
  relationsTo: await Promise.all(USERS.map((id) => guilds.relationsTo(id, USERS))),
  notifications: await Promise.all(USERS.map((id) => guilds.notifications(id))),
  applications: await Promise.all(USERS.map((id) => guilds.countApplications(id))),
  openInvites: await Promise.all(USERS.map((id) => guilds.countOpenInvites('20', id, 0))),
  administrator: await guilds.administrator(),
  administrators: [...(await guilds.administrators())].sort(),
});

/** @param done what has happened: nobody signs out before registering */
type Step = (story: Story, done: Set<string>) => unknown;

const once =
  (name: string, tell: (story: Story) => void): Step =>
  (story, done) => {
    if (done.has(name)) return;
    done.add(name);
    tell(story);
  };

/** What is done to a guild that there is. */
const IN_GUILD: readonly ((story: Story, guild: string, user: string, n: number, done: Set<string>) => unknown)[] = [
  (story, guild, _, n) => story.editGuild(guild, { name: `named ${n}` }),
  (story, guild, user) => story.transferGuild(guild, user),
  (story, guild, _, n) => story.role(guild, ROLES[n % 2]!, String(n), n),
  (story, guild, _, n) => story.editRole(guild, [guild, ...ROLES][n % 3]!, String(n), n),
  (story, guild, _, n) => story.deleteRole(guild, ROLES[n % 2]!),
  (story, guild, _u, _n, done) => {
    done.add(`gone ${guild}`);
    return story.deleteGuild(guild);
  },
  (story, guild, user, n, done) => {
    if (!done.has(`${guild} ${user}`)) return;
    if (n % 3 === 0) story.giveRoles(guild, user, ROLES.slice(n % 2));
    else if (n % 3 === 1) story.rename(guild, user, { by: user, box: `nick ${n}` });
    else story.timeOut(guild, user, n === 2 ? null : n);
  },
  (story, guild, user) => story.ban(guild, user),
  (story, guild, _, n, done) => {
    const channel = CHANNELS[n % 3]!;
    if (!done.has(`channel ${channel} ${guild}`)) return;
    if (n % 5 === 0) story.editChannel(channel, guild, { name: `named ${n}`, position: n });
    else if (n % 5 === 1) story.overwrite(channel, guild, { id: ROLES[n % 2]!, type: 0, allow: '0', deny: String(n) });
    else if (n % 5 === 2) story.deleteOverwrite(channel, guild, ROLES[n % 2]!);
    else if (n % 5 === 3 && done.delete(`channel ${channel} ${guild}`)) story.deleteChannel(channel, guild);
  },
  (story, guild, _, n, done) => {
    const code = CODES[n % 2]!;
    if (guild === '20' && done.has(code) && !done.has(`${code} gone`)) {
      done.add(`${code} gone`);
      story.deleteInvite(code, guild, '30');
    }
  },
  (story, guild, user, n, done) => {
    const id = THREADS[n % 2]!;
    if (done.has(`thread ${id}`)) return;
    done.add(`thread ${id}`);
    done.add(`active ${id} ${guild}`);
    story.thread(id, guild, '30', user);
  },
  (story, guild, user, n, done) => {
    const channelId = THREADS[n % 2]!;
    const thread = {
      ...{ channelId, guildId: guild, parentId: '30', isPrivate: false, startedAt: null, firstMessageId: null },
      details: { name: '', archived: false, locked: false, invitable: true, autoArchive: 60, archiveTime: n },
      creator: { userId: user, joinedTime: 0, stay: 0 },
    };
    const [active, archived] = [`active ${channelId} ${guild}`, `archived ${channelId} ${guild}`];
    if (!done.has(active) && !done.has(archived)) return;
    if (n % 5 === 0) {
      done.delete(active);
      done.delete(archived);
      story.deleteThread(thread);
    } else if (done.delete(active)) {
      done.add(archived);
      story.archiveThread(thread);
    } else if (done.delete(archived)) {
      done.add(active);
      story.archiveThread(thread, false);
    }
  },
];

const lasts = (guild: string, done: ReadonlySet<string>) => done.has(`guild ${guild}`) && !done.has(`gone ${guild}`);

const inGuild: fc.Arbitrary<Step> = fc
  .tuple(fc.constantFrom(...GUILDS), fc.constantFrom(...USERS), fc.constantFrom(...IN_GUILD), fc.nat(30))
  .map(
    ([guild, user, act, n]): Step =>
      (story, done) =>
        lasts(guild, done) && act(story, guild, user, n, done),
  );

/** What is between the first two people by now. */
const bonds: readonly Bond[] = [
  NO_BOND,
  { friends: true, requestedBy: null, blockedBy: [] },
  { friends: false, requestedBy: '1', blockedBy: [] },
  { friends: false, requestedBy: null, blockedBy: ['2'] },
];
const between: fc.Arbitrary<Step> = fc.nat(3).map((next): Step => {
  return (story, done) => {
    const former = bonds.findIndex((_, n) => done.delete(`bond ${n}`));
    done.add(`bond ${next}`);
    story.relate('1', '2', bonds[next]!, bonds[Math.max(0, former)]!);
  };
});
const told: fc.Arbitrary<Step> = fc
  .tuple(fc.constantFrom(...USERS), fc.constantFrom(null, ...GUILDS), fc.boolean())
  .map(
    ([user, guild, muted]): Step =>
      (story) =>
        story.notify(user, guild, { ...PLAIN_NOTIFICATIONS, muted }),
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: inGuild },
  between,
  told,
  fc.constantFrom(...USERS).map((id) => once(`user ${id}`, (story) => story.user(id))),
  fc
    .tuple(fc.constantFrom('13', '14'), fc.constantFrom(...USERS))
    .map(([id, owner]) => once(`user ${id}`, (story) => story.user(id, 'bot', owner))),
  fc.tuple(fc.constantFrom(...USERS), fc.nat(9)).map(
    ([id, generation]): Step =>
      (story, done) =>
        done.has(`user ${id}`) && story.signOut(id, generation),
  ),
  fc.tuple(fc.constantFrom(...USERS), fc.nat(2)).map(
    ([id, n]): Step =>
      (story, done) => {
        if (!done.has(`user ${id}`)) return;
        if (n === 0) return story.profile(id, `box ${story.log.all.length}`);
        if (n === 1) return story.standing(id, { disabled: story.log.all.length % 2 === 0, due: null, deleted: false });
        return story.administrator(id, story.log.all.length % 2 === 0);
      },
  ),
  fc.constantFrom(...GUILDS).map((id) => once(`guild ${id}`, (story) => story.guild(id, '1'))),
  // Invites lead to the first, so it is of their guild.
  fc
    .constantFrom(
      ['30', '20'],
      ...GUILDS.flatMap((guild) => [
        ['31', guild],
        ['32', guild],
      ]),
    )
    .map(
      ([id, guild]): Step =>
        (story, done) => {
          if (done.has(`channel ${id}`)) return;
          done.add(`channel ${id}`).add(`channel ${id} ${guild}`);
          story.channel(id!, guild!);
        },
    ),
  fc.constant(once('channel 40', (story) => story.direct('40', '1', '2'))),
  fc.tuple(fc.constantFrom(...USERS), fc.constantFrom(undefined, 'Us')).map(
    ([user, name]): Step =>
      (story, done) => {
        const people = () => USERS.filter((id) => done.has(`41 ${id}`));
        if (done.has('channel 41') && name !== undefined) return story.editGroup('41', name, user, ...people());
        if (done.delete(`41 ${user}`)) return story.exit('41', user, ...people());
        done.add(`41 ${user}`);
        if (done.has('channel 41')) return story.enter('41', user, ...people());
        done.add('channel 41');
        return story.group('41', user);
      },
  ),
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(...CODES)
      .map((code) => once(code, (story) => story.invite(code, '20', '30', '1', CAPS[code]))),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...CODES).map(
      (code): Step =>
        (story, done) => {
          // An invite with a cap records its uses itself, any other is used by joining.
          if (!done.has(code) || !lasts('20', done)) return;
          if (CAPS[code] > 0) return story.redeem(code, '20', '1');
          if (!done.has('20 12')) done.add('20 12') && story.join('20', '12', code);
        },
    ),
  },
  fc.tuple(fc.constantFrom(...GUILDS), fc.constantFrom(...USERS)).map(
    ([guild, user]): Step =>
      (story, done) => {
        // Nobody joins a guild before it is created.
        if (!lasts(guild, done)) return;
        const name = `${guild} ${user}`;
        if (done.delete(name)) return story.leave(guild, user);
        done.add(name);
        return story.join(guild, user);
      },
  ),
);

/** Once each was answered wrongly. */
const TOLD_WHILE_LATE: readonly Step[][] = [
  // Listed by code.
  [(story) => story.invite('open', '20', '30', '1'), (story) => story.invite('capped', '20', '30', '1', 3)],
  // Not counted as open: deleted, used up, and of a deleted channel.
  [(story) => story.invite('open', '20', '30', '1'), (story) => story.deleteInvite('open', '20', '30')],
  [(story) => story.invite('capped', '20', '30', '1', 1), (story) => story.redeem('capped', '20', '2')],
  [
    (story) => story.channel('30', '20'),
    (story) => story.invite('open', '20', '30', '1'),
    (story) => story.deleteChannel('30', '20'),
  ],
];

describe('guild views that lag behind the log', () => {
  it('answer what they will answer once they have caught up', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), fc.nat(99), async (steps, percent) => {
        const story = new Story();
        const done = new Set<string>();
        for (const one of steps) one(story, done);
        const held = Math.floor((story.log.all.length * percent) / 100);
        const whole = viewsOf(story.log.all);
        const late = lateViews(story.log.all, held);
        expect(await all(late.current)).toEqual(await all(whole.reader));
        whole.close();
        late.close();
      }),
      { numRuns: 25, examples: TOLD_WHILE_LATE.map((steps) => [steps, 0]) },
    ));

  it('answer the same from the memory of a node that hears every event', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30, size: 'max' }),
        fc.array(fc.nat(9), { minLength: 10, maxLength: 20 }),
        async (steps, lags) => {
          const story = new Story();
          const done = new Set<string>();
          for (const one of steps) one(story, done);
          const [whole, stored] = [viewsOf([]), viewsOf([])];
          let [held, delivered] = [0, 0];
          const recent = new RecentGuildChanges(() => held);
          const storedAt = () => stored.reader;
          const current = new CurrentGuilds({ recent, held: () => held, now: stored.reader, storedAt });
          const cached = new CachedGuilds(current, () => Math.max(held, delivered));
          cached.hearsFrom(0);
          for (const [at, event] of story.log.all.entries()) {
            whole.apply([event]);
            recent.heard(event);
            cached.heard(event);
            delivered = event.position;
            const lag = lags[at % lags.length]!;
            const through = Math.max(held, delivered - lag);
            stored.apply(story.log.all.slice(held, through));
            held = through;
            if (lag > 7) expect(await all(cached)).toEqual(await all(whole.reader));
          }
          whole.close();
          stored.close();
        },
      ),
      { numRuns: 8 },
    ));

  it('take a right away at once', async () => {
    const story = new Story();
    story.guild('20', '1');
    story.join('20', '2');
    const held = await story.log.head();
    story.leave('20', '2');
    const { current, close } = lateViews(story.log.all, held);
    expect(await current.member('20', '2')).toBeUndefined();
    close();
  });

  it('read what happened before this node began from the log', async () => {
    const story = new Story();
    story.guild('20', '1');
    const held = await story.log.head();
    story.join('20', '2');
    const { reader, close } = viewsOf(story.log.all.slice(0, held));
    const recent = new RecentGuildChanges(() => held);
    await recent.begin(await story.log.head(), story.log);
    const current = new CurrentGuilds({ recent, held: () => held, now: reader, storedAt: () => reader });
    expect((await current.guild('20'))?.memberCount).toBe(1);
    close();
  });

  it('refuse to answer when they are too late for rights to be known, until they have caught up', async () => {
    const story = new Story();
    story.guild('20', '1');
    let held = await story.log.head();
    const { reader, close } = viewsOf(story.log.all);
    const recent = new RecentGuildChanges(() => held, { count: 3, bytes: 10_000 });
    const current = new CurrentGuilds({ recent, held: () => held, now: reader, storedAt: () => reader });
    for (let n = 0; n <= 3; n += 1) recent.heard(story.join('20', String(n)));
    await expect(current.guild('20')).rejects.toBeInstanceOf(StoreUnavailable);
    held = await story.log.head();
    expect((await current.guild('20'))?.id).toBe('20');
    close();
  });
});
