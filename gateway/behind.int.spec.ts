/** In a cluster: sessions that are to hear more, and have to wait for it. Nobody else does. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Audience } from '../schemas/streams.ts';
import type { GatewayClient } from '../test/support/gateway-client.ts';
import { defaultGatewayConfig } from './config.ts';
import type { Feed } from './ports.ts';
import { guildAndPeople, guildWith, hiddenChannel, type Station, World } from './testing.ts';

const { resumes } = defaultGatewayConfig;

describe('while a gateway does not yet hear everything of', () => {
  let world: World;
  let station: Station;
  let channel: string;
  let hears: () => Promise<void>;
  let viewsAt: Feed['viewsAt'];
  const listened = new Map<Audience, number>();

  const count = (audiences: readonly Audience[], by: number) => {
    for (const audience of audiences) listened.set(audience, (listened.get(audience) ?? 0) + by);
  };
  const feed = {
    listen: (audiences: readonly Audience[]) => {
      count(audiences, 1);
      return hears();
    },
    leave: (audiences: readonly Audience[]) => count(audiences, -1),
    viewsAt: (position: number) => viewsAt(position),
    takeover: () => {},
  };

  beforeEach(async () => {
    listened.clear();
    hears = async () => {};
    viewsAt = () => world.views;
    world = await World.open();
    channel = guildAndPeople(world.story, '10', '1', '2');
    world.story.user('4');
    station = await world.station({ ringBytes: 0, resumes: { ...resumes, page: 2 } }, undefined, feed);
  });
  afterEach(async () => {
    await world.close();
    // Sockets that were closed end after their server.
    await expect.poll(() => [...listened.values()].every((times) => times === 0)).toBe(true);
  });

  /** From now on nothing is heard until the returned function is called. */
  const hold = () => {
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    hears = () => gate;
    return go;
  };
  const told = (client: GatewayClient) =>
    client.frames.filter((frame) => frame.op === 0 && frame.t !== 'PARLEY_POSITION').map(({ t, d }) => [t, d.ordinal]);
  const rising = (client: GatewayClient) => {
    const positions = client.frames.filter((frame) => frame.op === 0).map((frame) => frame.s!);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  };

  it('a guild that somebody joins, the others get what happens, and the one who joined gets all of it afterwards', async () => {
    const [other, joining] = [await station.identified('2'), await station.identified('4')];
    const before = told(joining).length;
    const go = hold();
    world.story.join('10', '4');
    for (let n = 0; n < 5; n += 1) world.story.post(channel, '1');
    await world.received(other, joining);
    expect(told(other).slice(-6)).toEqual([
      ['GUILD_MEMBER_ADD', undefined],
      ...[1, 2, 3, 4, 5].map((ordinal) => ['MESSAGE_CREATE', ordinal]),
    ]);
    expect(told(joining)).toHaveLength(before);
    go();
    await joining.until((frames) => frames.some((frame) => frame.d?.ordinal === 5), 'the last message');
    world.story.post(channel, '1');
    await world.received(other, joining);
    expect(told(joining).slice(before)).toEqual([
      ['GUILD_CREATE', undefined],
      ...[1, 2, 3, 4, 5, 6].map((ordinal) => ['MESSAGE_CREATE', ordinal]),
    ]);
    rising(joining);
    expect(station.gateway.sessions).toBe(2);
    const again = await station.resumed('4', joining.session());
    expect(told(again).filter(([t]) => t !== 'RESUMED')).toEqual([]);
  });

  it('a guild, its new member may send commands, leave and join another meanwhile', async () => {
    guildWith(world.story, '20', '1');
    const joining = await station.identified('4');
    const before = told(joining).length;
    const go = hold();
    world.story.join('10', '4');
    world.story.post(channel, '1');
    world.story.leave('10', '4');
    world.story.join('20', '4');
    world.story.post('201', '1');
    await world.received(joining);
    const result = joining.command({ type: 'typing.start', channel_id: channel });
    expect((await result).ok).toBe(true);
    go();
    await joining.until((frames) => frames.some((frame) => frame.d?.ordinal === 1), 'the message');
    await world.received(joining);
    expect(
      told(joining)
        .slice(before)
        .map(([t]) => t),
    ).toEqual(['GUILD_CREATE', 'MESSAGE_CREATE']);
    rising(joining);
  });

  it('a new channel, only the members of its guild wait', async () => {
    guildWith(world.story, '20', '4');
    const [member, other] = [await station.identified('2'), await station.identified('4')];
    const before = told(member).length;
    const go = hold();
    world.story.channel('30', '10');
    world.story.post('30', '1');
    world.story.post('201', '4');
    await world.received(other, member);
    expect(told(other).at(-1)).toEqual(['MESSAGE_CREATE', 1]);
    expect(told(member)).toHaveLength(before);
    go();
    await member.until((frames) => frames.some((frame) => frame.d?.ordinal === 1), 'the message');
    expect(told(member).slice(before)).toEqual([
      ['CHANNEL_CREATE', undefined],
      ['MESSAGE_CREATE', 1],
    ]);
    rising(member);
  });

  it('a new channel, whoever has to wait again meanwhile is sent all that was theirs by their roles before', async () => {
    world.story.role('10', '40', '128');
    world.story.giveRoles('10', '2', ['40']);
    await world.settled();
    const member = await station.identified('2');
    const before = told(member).length;
    let look = () => {};
    const looked = new Promise<void>((resolve) => {
      look = resolve;
    });
    let isHeld = () => {};
    const held = new Promise<void>((resolve) => {
      isHeld = resolve;
    });
    const go = hold();
    world.story.channel('30', '10');
    world.story.editGuild('10', { name: 'other' });
    await world.settled();
    hears = async () => {
      // Called once the session hears the channel. What it missed is read after that, and here once another channel has begun.
      viewsAt = (position) => {
        const { guilds } = world.views;
        const guildsOf = async (userId: string) => {
          isHeld();
          await looked;
          return guilds.guildsOf(userId);
        };
        const channelsOf = async (guildId: string) =>
          (await guilds.channelsOf(guildId)).filter(({ createdAt }) => createdAt <= position);
        return { ...world.views, guilds: Object.assign(Object.create(guilds), { guildsOf, channelsOf }) };
      };
    };
    go();
    await held;
    const goAgain = hold();
    world.story.channel('31', '10');
    await world.settled();
    look();
    goAgain();
    await member.until((frames) => frames.filter(({ t }) => t === 'CHANNEL_CREATE').length === 2, 'both channels');
    await world.received(member);
    expect(
      told(member)
        .slice(before)
        .map(([t]) => t),
    ).toEqual(['CHANNEL_CREATE', 'GUILD_UPDATE', 'GUILD_AUDIT_LOG_ENTRY_CREATE', 'CHANNEL_CREATE']);
    rising(member);
  });

  it('a private thread, whoever is added to it is told of it once', async () => {
    const [member, other] = [await station.identified('2'), await station.identified('1')];
    const thread = { channelId: '60', guildId: '10', parentId: channel };
    const people = async (userId: string) => ({
      ...{ userId, joinedTime: 0, stay: (await world.views.guilds.member('10', userId))!.joinedAt },
    });
    world.story.log.add('channel-60', 'thread-created', {
      ...{ ...thread, isPrivate: true, startedAt: null, firstMessageId: null, creator: await people('1') },
      details: { name: '', archived: false, locked: false, invitable: true, autoArchive: 60, archiveTime: 0 },
    });
    await world.received(member, other);
    const before = told(member).length;
    const go = hold();
    world.story.log.add('channel-60', 'thread-members-changed', {
      ...{ ...thread, isPrivate: true, added: [await people('2')], removed: [], count: 2 },
    });
    world.story.post('60', '1');
    await world.received(member, other);
    go();
    await member.until((frames) => frames.some((frame) => frame.d?.ordinal === 1), 'the message');
    expect(
      told(member)
        .slice(before)
        .map(([t]) => t),
    ).toEqual(['THREAD_CREATE', 'THREAD_MEMBERS_UPDATE', 'THREAD_MEMBER_UPDATE', 'MESSAGE_CREATE']);
    rising(member);
  });

  it('a guild, its new member can go away', async () => {
    const joining = await station.identified('4');
    const go = hold();
    world.story.join('10', '4');
    await world.received(joining);
    await joining.cut();
    await expect.poll(() => station.gateway.sessions).toBe(0);
    go();
    await world.settled();
  });

  it('a guild that somebody joins, the one who joined is told how far it has caught up, whatever it hears of that', async () => {
    hiddenChannel(world.story, '77', '10');
    await world.settled();
    const joining = await station.identified('4');
    const go = hold();
    world.story.join('10', '4');
    const last = world.story.post('77', '1');
    await world.settled();
    go();
    await joining.dispatch('GUILD_CREATE');
    await world.received(joining);
    await joining.until(() => joining.seq >= last.position, 'the position of the last event');
    rising(joining);
  });

  it('and the store of the views is far behind, a session begins all the same', async () => {
    const { views } = world;
    const [atRest, checkpoint] = [views.atRest.bind(views), views.checkpoint.bind(views)];
    const former = Object.create(views.guilds, { guildsOf: { value: async () => [] } }) as typeof views.guilds;
    await world.settled();
    views.checkpoint = () => 0;
    views.whenProcessed = async () => true;
    views.atRest = (read) => atRest(async () => read(checkpoint()));
    viewsAt = (position) =>
      position === 0 ? { ...views, guilds: former, pins: views.pins, unread: views.unread } : views;
    const client = await station.identified('2');
    expect(told(client).map(([type]) => type)).toEqual(['READY', 'GUILD_CREATE']);
  });
});
