/** Resumes from recent events, resumes from the log, and refused resumes. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageId } from '../projections/testing.ts';
import type { Frame, GatewayClient } from '../test/support/gateway-client.ts';
import { defaultGatewayConfig } from './config.ts';
import { guildWith, hiddenChannel, type Station, tokenOf, World } from './testing.ts';

const { resumes } = defaultGatewayConfig;

describe('resume', () => {
  let world: World;
  /** A station that was there from the beginning, so its ring holds everything. */
  let station: Station;
  let channel: string;

  beforeEach(async () => {
    world = await World.open();
    for (const id of ['1', '2', '4']) world.story.user(id);
    world.story.user('3', 'bot', '1');
    channel = guildWith(world.story, '10', '1', '2', '3');
    station = await world.station();
  });
  afterEach(() => world.close());

  const dispatches = (client: GatewayClient): Frame[] => client.frames.filter((frame) => frame.op === 0);
  const cut = async (userId: string, more: object = {}) => {
    const client = await station.identified(userId, more);
    const session = client.session();
    await client.cut();
    return session;
  };
  /** Resumes at the station and at two without recent events, which have to read the log, one in small pages. */
  const resumedAllWays = async (userId: string, session: { session_id: string; seq: number }) => {
    const stations = [station, await world.station(), await world.station({ resumes: { ...resumes, page: 2 } })];
    const [ring, ...log] = await Promise.all(stations.map((at) => at.resumed(userId, session)));
    expect(stations.flatMap((at) => at.counters.resumes)).toEqual(['ring', 'log', 'log']);
    for (const client of log) expect(dispatches(client)).toEqual(dispatches(ring!));
    return dispatches(ring!);
  };

  it('sends what was missed, once, in position order, and ends with RESUMED', async () => {
    const session = await cut('2');
    const { story } = world;
    story.direct('88', '2', '4');
    const missed = [
      story.post(channel, '1'),
      story.post('88', '4'),
      story.edit(channel, 1, '1'),
      story.react(channel, 1, '1', '👍'),
      story.channel('20', '10'),
      story.post('20', '1'),
      story.read('2', { [channel]: 1 }),
      story.join('10', '4'),
    ];
    const frames = await resumedAllWays('2', session);
    expect(frames.map((frame) => frame.t)).toEqual([
      'CHANNEL_CREATE',
      'MESSAGE_CREATE',
      'MESSAGE_CREATE',
      'MESSAGE_UPDATE',
      'MESSAGE_REACTION_ADD',
      'CHANNEL_CREATE',
      'MESSAGE_CREATE',
      'MESSAGE_ACK',
      'GUILD_MEMBER_ADD',
      'RESUMED',
    ]);
    expect(frames.slice(1, -1).map((frame) => frame.s)).toEqual(missed.map((event) => event.position));
    expect(frames.at(-1)!.s).toBe(missed.at(-1)!.position);
  });

  it('goes on live after RESUMED', async () => {
    const session = await cut('2');
    world.story.post(channel, '1');
    const client = await station.resumed('2', session);
    world.story.post(channel, '1');
    await world.received(client);
    expect(dispatches(client).map((frame) => [frame.t, frame.d.ordinal])).toEqual([
      ['MESSAGE_CREATE', 1],
      ['RESUMED', undefined],
      ['MESSAGE_CREATE', 2],
    ]);
  });

  it('works again and again, also from the s of a RESUMED', async () => {
    let session = await cut('2');
    for (const ordinal of [1, 2, 3]) {
      world.story.post(channel, '1');
      const client = await station.resumed('2', session);
      expect(dispatches(client).map((frame) => frame.d.ordinal)).toEqual([ordinal, undefined]);
      session = client.session();
      await client.cut();
    }
  });

  it('takes the session over from the socket that has it, however many come at once', async () => {
    const former = await station.identified('2');
    const other = await station.identified('2');
    const session = former.session();
    const clients = await Promise.all(Array.from({ length: 10 }, () => station.connect()));
    for (const client of clients) client.resume(tokenOf('2'), session);
    expect(await former.closed()).toBe(4009);
    await expect.poll(() => clients.filter(({ closeCode }) => closeCode === 4009)).toHaveLength(9);
    const [holder] = clients.filter(({ closeCode }) => closeCode === undefined);
    await holder!.dispatch('RESUMED');
    await expect.poll(() => station.gateway.sessions).toBe(2);
    world.story.post(channel, '1');
    for (const client of [holder!, other]) await client.dispatch('MESSAGE_CREATE');
  });

  it('leaves a session on its socket when another user asks for it', async () => {
    const former = await station.identified('2');
    const thief = await station.connect();
    thief.resume(tokenOf('1'), former.session());
    await thief.until((frames) => frames.some(({ op }) => op === 9), 'op 9');
    world.story.post(channel, '1');
    await former.dispatch('MESSAGE_CREATE');
  });

  it.each([
    ['lost, then deleted', true, true],
    ['lost', true, false],
    ['deleted', false, true],
    ['lost and gained again, then deleted', 'again', true],
  ] as const)('tells once that a channel is gone that was %s while the session was away', async (_, lost, deleted) => {
    const { story } = world;
    story.channel('30', '10');
    await world.settled();
    const session = await cut('2');
    const hides = (deny: string) => story.overwrite('30', '10', { id: '10', type: 0, allow: '0', deny });
    if (lost !== false) {
      hides('1024');
      story.post('30', '1');
    }
    if (lost === 'again') {
      hides('0');
      story.post('30', '1');
      hides('1024');
    }
    if (deleted) story.deleteChannel('30', '10');
    story.post(channel, '1');
    const frames = await resumedAllWays('2', session);
    expect(frames.map(({ t }) => t)).toEqual(['CHANNEL_DELETE', 'MESSAGE_CREATE', 'RESUMED']);
    expect(frames[0]!.d).toMatchObject({ id: '30', guild_id: '10' });
    expect(frames[1]!.d.channel_id).toBe(channel);
  });

  it('tells that a channel is gone that was gained and lost, of which the gain may have come without its position', async () => {
    const { story } = world;
    hiddenChannel(story, '30', '10');
    await world.settled();
    const session = await cut('2');
    for (const [allow, deny] of [
      ['1024', '0'],
      ['0', '1024'],
    ] as const)
      story.overwrite('30', '10', { id: '10', type: 0, allow, deny });
    const frames = await resumedAllWays('2', session);
    expect(frames.map(({ t }) => t)).toEqual(['CHANNEL_DELETE', 'RESUMED']);
    expect(frames[0]!.d).toMatchObject({ id: '30', permission_overwrites: [] });
  });

  it("sends nothing outside the session's intents", async () => {
    const session = await cut('2', { intents: 1 << 10 });
    world.story.post(channel, '1');
    world.story.react(channel, 1, '1', '👍');
    world.story.join('10', '4');
    const frames = await resumedAllWays('2', session);
    expect(frames.map((frame) => frame.t)).toEqual(['MESSAGE_REACTION_ADD', 'RESUMED']);
  });

  it('does not open a message that has been deleted since', async () => {
    const session = await cut('2');
    world.story.post(channel, '1');
    world.story.edit(channel, 1, '1');
    world.story.post(channel, '1');
    world.story.remove(channel, 1, '1');
    const frames = await resumedAllWays('2', session);
    expect(frames.map((frame) => [frame.t, frame.d.content])).toEqual([
      ['MESSAGE_CREATE', ''],
      ['MESSAGE_UPDATE', ''],
      ['MESSAGE_CREATE', `message 2 in ${channel}`],
      ['MESSAGE_DELETE', undefined],
      ['RESUMED', undefined],
    ]);
  });

  it('does not open messages that have been deleted at once since', async () => {
    const session = await cut('2');
    world.story.post(channel, '1');
    world.story.edit(channel, 1, '1');
    world.story.post(channel, '1');
    world.story.post(channel, '1');
    world.story.removeAll(channel, [1, 3], '1');
    const frames = await resumedAllWays('2', session);
    expect(frames.map((frame) => [frame.t, frame.d.content])).toEqual([
      ['MESSAGE_CREATE', ''],
      ['MESSAGE_UPDATE', ''],
      ['MESSAGE_CREATE', `message 2 in ${channel}`],
      ['MESSAGE_CREATE', ''],
      ['MESSAGE_DELETE_BULK', undefined],
      ['RESUMED', undefined],
    ]);
  });

  it('shows the text of a deleted message in no event: neither of a pin nor of a reply to it', async () => {
    const { story } = world;
    story.post(channel, '1');
    await world.settled();
    const session = await cut('2');
    // Somebody is listening, so that everything is rendered before the message is deleted.
    const listening = await station.identified('1');
    story.pin(channel, 1, '1', 1);
    story.post(channel, '1', { replyTo: messageId(channel, 1) });
    story.edit(channel, 2, '1');
    await world.received(listening);
    story.remove(channel, 1, '1');
    const frames = await resumedAllWays('2', session);
    expect(frames.map(({ t, d }) => [t, d.content, d.referenced_message])).toEqual([
      ['MESSAGE_UPDATE', '', undefined],
      ['CHANNEL_PINS_UPDATE', undefined, undefined],
      ['MESSAGE_CREATE', `message 2 in ${channel}`, null],
      ['MESSAGE_UPDATE', `message 2 in ${channel}, edited`, null],
      ['MESSAGE_DELETE', undefined, undefined],
      ['RESUMED', undefined, undefined],
    ]);
  });

  it('removes a guild that the user left, and sends nothing else of it', async () => {
    const session = await cut('2');
    world.story.post(channel, '1');
    world.story.leave('10', '2');
    world.story.post(channel, '1');
    const frames = await resumedAllWays('2', session);
    expect(frames.map((frame) => [frame.t, frame.s, frame.d])).toEqual([
      ['GUILD_DELETE', session.seq, { id: '10' }],
      ['RESUMED', await world.story.log.head(), {}],
    ]);
  });

  it('sends a guild that the user joined, and only the messages after that', async () => {
    const session = await cut('4');
    world.story.post(channel, '1');
    world.story.join('10', '4');
    world.story.channel('20', '10');
    world.story.join('10', '5');
    const post = world.story.post('20', '1');
    const frames = await resumedAllWays('4', session);
    expect(frames.map((frame) => [frame.t, frame.s])).toEqual([
      ['GUILD_CREATE', session.seq],
      ['MESSAGE_CREATE', post.position],
      ['RESUMED', post.position],
    ]);
    expect(frames[0]!.d).toMatchObject({ id: '10', member_count: 5, channels: [{ id: channel }, { id: '20' }] });
  });

  it('removes and sends again a guild that the user left and joined again', async () => {
    const session = await cut('2');
    world.story.leave('10', '2');
    world.story.post(channel, '1');
    world.story.join('10', '2');
    world.story.post(channel, '1');
    const frames = await resumedAllWays('2', session);
    expect(frames.map((frame) => [frame.t, frame.d.unavailable, frame.d.ordinal])).toEqual([
      ['GUILD_DELETE', true, undefined],
      ['GUILD_CREATE', false, undefined],
      ['MESSAGE_CREATE', undefined, 2],
      ['RESUMED', undefined, undefined],
    ]);
  });

  it('never sends a channel that the session cannot see', async () => {
    const session = await cut('2');
    hiddenChannel(world.story, '30', '10');
    world.story.post('30', '1');
    world.story.invite('secret', '10', '30', '1');
    expect((await resumedAllWays('2', session)).map((frame) => frame.t)).toEqual(['RESUMED']);
  });

  it('hides text from bots that may not read it', async () => {
    const session = await cut('3', { intents: 1 << 9 });
    world.story.post(channel, '1');
    world.story.post(channel, '1', { mentions: { users: ['3'], everyone: false } });
    const frames = await resumedAllWays('3', session);
    expect(frames.map((frame) => frame.d.content)).toEqual(['', `message 2 in ${channel}`, undefined]);
  });

  it('reads a long channel in pages', async () => {
    const session = await cut('2');
    const posts = Array.from({ length: 1_700 }, () => world.story.post(channel, '1'));
    const frames = await resumedAllWays('2', session);
    expect(frames.slice(0, -1).map((frame) => frame.s)).toEqual(posts.map((event) => event.position));
  });

  it('sends live events that arrive meanwhile after what was missed', async () => {
    const session = await cut('2');
    for (let i = 0; i < 2_000; i += 1) world.story.post(channel, '1');
    await world.settled();
    const cold = await world.station();
    const client = await cold.connect();
    client.write(6, { token: tokenOf('2'), ...session });
    await client.dispatch('MESSAGE_CREATE');
    for (let i = 0; i < 100; i += 1) world.story.post(channel, '1');
    await client.dispatch('MESSAGE_CREATE', (d) => d.ordinal === 2_100);
    const ordinals = dispatches(client).flatMap((frame) => (frame.t === 'RESUMED' ? [] : [frame.d.ordinal]));
    expect(ordinals).toEqual(Array.from({ length: 2_100 }, (_, i) => i + 1));
  });

  it('never lets s fall when an event with two dispatches arrives meanwhile', async () => {
    const session = await cut('2');
    for (let i = 0; i < 2_000; i += 1) world.story.post(channel, '1');
    await world.settled();
    const cold = await world.station();
    const client = await cold.connect();
    client.write(6, { token: tokenOf('2'), ...session });
    await client.dispatch('MESSAGE_CREATE');
    for (let i = 1; i <= 20; i += 1) world.story.pin(channel, i, '1', i);
    await client.dispatch('RESUMED');
    await world.received(client);
    expect(dispatches(client).filter((frame) => frame.t === 'CHANNEL_PINS_UPDATE')).toHaveLength(20);
    const positions = dispatches(client).map((frame) => frame.s!);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
  });

  describe('is refused with op 9, d false', () => {
    const refused = async (at: Station, d: object): Promise<void> => {
      const client = await at.connect();
      client.write(6, d);
      await client.until((frames) => frames.some((frame) => frame.op === 9), 'op 9');
      expect(client.frames.slice(1)).toEqual([{ op: 9, d: false, s: null, t: null }]);
      // The same socket may identify.
      client.write(2, { token: tokenOf('2'), intents: 0 });
      await client.dispatch('READY');
      await client.cut();
    };

    it.each([
      ['for a session id that is none', { session_id: 'nonsense', seq: 1 }],
      ['for seq 0', { seq: 0 }],
      ['for a seq beyond the head', { seq: 1_000_000 }],
    ])('%s', async (_, d) => {
      await refused(station, { token: tokenOf('2'), ...(await cut('2')), ...d });
    });

    it("for another user's session", async () => {
      await refused(station, { token: tokenOf('1'), ...(await cut('2')) });
    });

    it('for a session of another epoch', async () => {
      const { session_id, seq } = await cut('2');
      await refused(station, { token: tokenOf('2'), session_id: session_id.replace('first', 'second'), seq });
    });

    it("for a session from before its user's tokens were ended", async () => {
      const session = await cut('2');
      world.tokens.generations.set('2', 2);
      await refused(station, { token: tokenOf('2'), ...session });
    });

    it('when more was missed than the limit, from the ring and from the log, without a partial replay', async () => {
      const session = await cut('2');
      for (let i = 0; i < 11; i += 1) world.story.post(channel, '1');
      const limited = await world.station({ resumeLimit: 10 });
      await refused(limited, { token: tokenOf('2'), ...session });
      expect(limited.counters.resumes).toEqual(['too-many']);
      const paging = { resumes: { ...resumes, page: 2 } };
      await refused(await world.station({ resumeLimit: 10, ...paging }), { token: tokenOf('2'), ...session });
      for (const more of [{}, paging]) {
        const exact = await world.station({ resumeLimit: 11, ...more });
        await exact.resumed('2', session);
      }
    });
  });

  describe('where an event cannot be read', () => {
    const unreadable = async () => {
      const event = world.story.post(channel, '1');
      Object.assign(event, { type: 'of-a-newer-parley' });
      await world.settled();
      return event;
    };
    /** The second has to read more than a page of the log. */
    const afresh = () => Promise.all([world.station(), world.station({ resumes: { ...resumes, page: 2 } })]);

    it('goes on live without it', async () => {
      const client = await station.identified('2');
      world.story.post(channel, '1');
      await unreadable();
      world.story.post(channel, '1');
      await world.received(client);
      expect(client.dispatches('MESSAGE_CREATE').map((frame) => frame.d.ordinal)).toEqual([1, 3]);
    });

    it('is refused with op 9 by those who would have heard it, and nobody else', async () => {
      const session = await cut('2');
      world.story.direct('88', '4', '1');
      const other = await cut('4');
      world.story.post('88', '1');
      for (let n = 0; n < 3; n += 1) world.story.post(channel, '1');
      await unreadable();
      for (let n = 0; n < 3; n += 1) world.story.post(channel, '1');
      world.story.post('88', '1');
      for (const at of await afresh()) {
        const client = await at.connect();
        client.write(6, { token: tokenOf('2'), ...session });
        await client.until((frames) => frames.some((frame) => frame.op === 9), 'op 9');
        expect(dispatches(client)).toEqual([]);
        expect(at.counters.resumes).toEqual(['unreadable']);
        const elsewhere = await at.resumed('4', other);
        expect(elsewhere.dispatches('MESSAGE_CREATE')).toHaveLength(2);
      }
    });

    it('sends what came after it to sessions that begin later', async () => {
      for (let n = 0; n < 3; n += 1) world.story.post(channel, '1');
      await unreadable();
      const session = await cut('2');
      for (let n = 0; n < 5; n += 1) world.story.post(channel, '1');
      const frames = await resumedAllWays('2', session);
      expect(frames.map((frame) => frame.d.ordinal)).toEqual([5, 6, 7, 8, 9, undefined]);
    });
  });

  it.each([
    ['no sequence', 'x', 4007],
    ['a negative sequence', -1, 4007],
    ['half a sequence', 1.5, 4007],
  ])('closes the socket on %s', async (_, seq, code) => {
    const { session_id } = await cut('2');
    const client = await station.connect();
    client.write(6, { token: tokenOf('2'), session_id, seq });
    expect(await client.closed()).toBe(code);
  });

  it('closes the socket on a bad token', async () => {
    const client = await station.connect();
    client.write(6, { token: 'nonsense', ...(await cut('2')) });
    expect(await client.closed()).toBe(4004);
  });

  it('sends edits of messages from before the cut', async () => {
    world.story.post(channel, '1');
    await world.settled();
    const session = await cut('2');
    world.story.edit(channel, 1, '1');
    const frames = await resumedAllWays('2', session);
    expect(frames[0]).toMatchObject({ t: 'MESSAGE_UPDATE', d: { id: messageId(channel, 1) } });
  });

  describe('of much', () => {
    const MESSAGES = 400;
    const PAGE = 25;
    let session: { session_id: string; seq: number };
    let another: typeof session;

    beforeEach(async () => {
      session = await cut('2');
      another = await cut('2');
      for (let i = 0; i < MESSAGES; i += 1) world.story.post(channel, '1', { nonce: 'x'.repeat(48_000) });
    });

    const resuming = async (at: Station, of = session) => {
      const client = await at.connect();
      client.resume(tokenOf('2'), of);
      return client;
    };
    const stuck = async (at: Station) => {
      const client = await resuming(at);
      await client.dispatch('MESSAGE_CREATE');
      client.socket.pause();
      return client;
    };

    it('reads on in the log only once its client has taken what was read before', async () => {
      const { log } = world.story;
      let pages = 0;
      const { readStream } = log;
      log.readStream = (query) => {
        if (query.direction !== 'backwards') pages += 1;
        return readStream.call(log, query);
      };
      const paging = await world.station({ resumes: { ...resumes, page: PAGE } });
      const client = await stuck(paging);
      const reads: number[] = [];
      const stand = () => {
        reads.push(pages);
        return reads.length > 2 && reads.slice(-3).every((count) => count === pages);
      };
      await expect.poll(stand).toBe(true);
      expect(pages).toBeLessThan(MESSAGES / PAGE);
      client.socket.resume();
      await client.dispatch('RESUMED');
      expect(client.dispatches('MESSAGE_CREATE')).toHaveLength(MESSAGES);
    });

    it('is ended when its client takes nothing, and can be asked for again', async () => {
      const impatient = await world.station({ stallMs: 100 });
      const client = await stuck(impatient);
      await expect.poll(() => impatient.counters.closes).toEqual([4000]);
      client.socket.resume();
      await client.closed();
      const again = await impatient.resumed('2', { ...session, seq: client.seq });
      expect(again.dispatches('MESSAGE_CREATE').length).toBeGreaterThan(0);
      expect(impatient.counters.resumes).toEqual(['aborted', 'log']);
    });

    it('waits for the others of the same person, and makes nobody else wait', async () => {
      const running = { ...resumes.running, perPerson: 1 };
      const one = await world.station({ resumes: { ...resumes, running } });
      const other = await cut('1');
      const first = await stuck(one);
      const second = await resuming(one, another);
      expect(await one.resumed('1', other)).toBeDefined();
      await world.received(second);
      expect(second.dispatches('MESSAGE_CREATE')).toEqual([]);
      first.socket.resume();
      await Promise.all([first, second].map((client) => client.dispatch('RESUMED')));
    });
  });
});
