import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import { wireTime } from '../presenter/time.ts';
import type { Read, Readers } from '../projections/port.ts';
import type { ReportRow } from '../projections/views/reports/view.ts';
import { readRoutes } from './index.ts';
import {
  ask,
  aWorld,
  BOT,
  DIRECT_CHANNEL,
  GUILD,
  MEMBER,
  MUTE_CHANNEL,
  NOW,
  OPEN_CHANNEL,
  OUTSIDER,
  OWNER,
  PRIVATE_CHANNEL,
} from './testing.ts';

const { deps, pages } = aWorld();
const routes = readRoutes(deps);

const get = async (url: string, userId = MEMBER): Promise<unknown> => {
  const answer = await ask(routes, url, userId);
  return either.isRight(answer) ? answer.right.body : answer.left.name;
};
const ids = (body: unknown) => (body as { id: string }[]).map((one) => one.id);

describe('queries', () => {
  it('return the gateway URL', async () => {
    expect(await get('/gateway', '')).toEqual({ url: 'ws://chat.example/gateway' });
    expect(await get('/gateway/bot', BOT)).toMatchObject({
      url: 'ws://chat.example/gateway',
      shards: 1,
      session_start_limit: { total: 1000, remaining: 998, reset_after: 7500, max_concurrency: 1 },
    });
    const unlimited = aWorld({ identifiesLeft: async () => undefined }).deps;
    expect(await ask(readRoutes(unlimited), '/gateway/bot', BOT)).toMatchObject({
      right: { body: { session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 } } },
    });
  });

  it('show the asker, other users, and no unknown user', async () => {
    expect(await get('/users/@me')).toMatchObject({ id: MEMBER, username: 'user-2' });
    expect(await get(`/users/${OUTSIDER}`)).toMatchObject({ id: OUTSIDER });
    expect(await get('/users/999')).toBe('unknownUser');
  });

  it('list what belongs to the asker', async () => {
    expect(await get('/users/@me/guilds')).toMatchObject([{ id: GUILD, owner: false }]);
    expect(await get('/users/@me/guilds', OWNER)).toMatchObject([{ id: GUILD, owner: true }]);
    expect(await get(`/users/@me/guilds?after=${GUILD}`)).toEqual([]);
    expect(await get('/users/@me/guilds?before=99')).toEqual([]);
    // A guild that the asker has left, or that never was.
    expect(ids(await get('/users/@me/guilds?after=99'))).toEqual([GUILD]);
    expect(ids(await get('/users/@me/guilds?after=0000000099'))).toEqual([GUILD]);
    expect(ids(await get('/users/@me/guilds?before=101'))).toEqual([GUILD]);
    expect(await get('/users/@me/guilds', OUTSIDER)).toEqual([]);
    expect(await get('/users/@me/channels')).toMatchObject([
      { id: DIRECT_CHANNEL, type: 1, last_message_id: '1005', last_pin_timestamp: wireTime(NOW) },
    ]);
    expect(await get('/users/@me/channels', OUTSIDER)).toEqual([]);
  });

  it('count what is unread in every channel that the asker may see', async () => {
    const states = (await get('/users/@me/read-states')) as { channel_id: string }[];
    expect(states.map((state) => state.channel_id)).toEqual([OPEN_CHANNEL, MUTE_CHANNEL, DIRECT_CHANNEL]);
    expect(states[0]).toEqual({
      channel_id: OPEN_CHANNEL,
      last_message_id: '1005',
      read_ordinal: 3,
      unread_count: 2,
      mention_count: 1,
    });
  });

  it('show guilds, their roles, channels and members to their members', async () => {
    expect(await get(`/guilds/${GUILD}`)).toMatchObject({ id: GUILD, owner_id: OWNER });
    expect(await get(`/guilds/${GUILD}/roles`)).toMatchObject([{ id: GUILD, name: '@everyone' }]);
    expect(ids(await get(`/guilds/${GUILD}/channels`))).toEqual([OPEN_CHANNEL, MUTE_CHANNEL]);
    expect(ids(await get(`/guilds/${GUILD}/channels`, OWNER))).toEqual([OPEN_CHANNEL, PRIVATE_CHANNEL, MUTE_CHANNEL]);
    expect(await get(`/guilds/${GUILD}/members`)).toMatchObject([{ user: { id: OWNER } }]);
    expect(await get(`/guilds/${GUILD}/members?limit=9&after=${OWNER}`)).toMatchObject([{ user: { id: MEMBER } }]);
    expect(await get(`/guilds/${GUILD}/members/${OWNER}`)).toMatchObject({ user: { id: OWNER } });
    expect(await get(`/guilds/${GUILD}/members/${OUTSIDER}`)).toBe('unknownMember');
  });

  it.each(['', '/roles', '/channels', '/members', '/members/1'])(
    'treat /guilds/:id%s as an unknown guild for an outsider',
    async (tail) => {
      const there = await ask(routes, `/guilds/${GUILD}${tail}`, OUTSIDER);
      expect(there).toEqual(await ask(routes, `/guilds/999${tail}`, OUTSIDER));
      expect(there).toMatchObject({ left: { code: 10004, status: 404 } });
    },
  );

  it.each(['', '/messages', '/messages?before_sequence=3', '/messages/1001', '/messages/1001/reactions/x'])(
    'treat a private /channels/:id%s as an unknown channel',
    async (tail) => {
      for (const hidden of [PRIVATE_CHANNEL, DIRECT_CHANNEL]) {
        const asker = hidden === PRIVATE_CHANNEL ? MEMBER : OUTSIDER;
        const there = await ask(routes, `/channels/${hidden}${tail}`, asker);
        expect(there).toEqual(await ask(routes, `/channels/999${tail}`, asker));
        expect(there).toMatchObject({ left: { code: 10003, status: 404 } });
      }
    },
  );

  it('show channels and messages, but never deleted ones', async () => {
    expect(await get(`/channels/${OPEN_CHANNEL}`)).toMatchObject({ id: OPEN_CHANNEL });
    expect(await get(`/channels/${PRIVATE_CHANNEL}`, OWNER)).toMatchObject({ id: PRIVATE_CHANNEL });
    expect(ids(await get(`/channels/${OPEN_CHANNEL}/messages`))).toEqual(['1005', '1004', '1002', '1001']);
    expect(await get(`/channels/${OPEN_CHANNEL}/messages/1002`)).toMatchObject({ id: '1002' });
    expect(await get(`/channels/${OPEN_CHANNEL}/messages/1003`)).toBe('unknownMessage');
    expect(await get(`/channels/${OPEN_CHANNEL}/messages/1009`)).toBe('unknownMessage');
  });

  it.each([
    ['', ''],
    ['limit=2', 'limit=2'],
    ['before_id=1004', 'before=1004'],
    ['after_id=1001&limit=1', 'after=1001&limit=1'],
    ['around_id=1002&limit=1', 'around=1002&limit=1'],
    ['before_sequence=5', 'before_sequence=5'],
    ['after_sequence=5', 'after_sequence=5'],
  ])('have a short form of history: history?%s is messages?%s', async (short, long) => {
    const asked = await get(`/channels/${OPEN_CHANNEL}/messages?${long}`);
    expect(await get(`/channels/${OPEN_CHANNEL}/history?${short}`)).toEqual(asked);
    expect(await get(`/channels/${PRIVATE_CHANNEL}/history?${short}`)).toBe('unknownChannel');
    expect(await get(`/channels/${MUTE_CHANNEL}/history?${short}`)).toEqual([]);
  });

  it('name the second of two places in the short form', async () => {
    const answer = await ask(routes, `/channels/${OPEN_CHANNEL}/history?before_id=5&after_id=3`, MEMBER);
    expect(answer).toMatchObject({ left: { code: 50035, errors: { after_id: { _errors: [{}] } } } });
  });

  it.each(['', '?with_counts=false', '?with_counts='])(
    'count presences only where asked, not with %s',
    async (query) => {
      const paths = [`/guilds/${GUILD}`, '/invites/good'];
      for (const path of paths) {
        expect(await get(path + query)).not.toHaveProperty('approximate_presence_count');
        for (const yes of ['true', 'True', '1'])
          expect(await get(`${path}?with_counts=${yes}`)).toMatchObject({
            approximate_presence_count: expect.any(Number),
            approximate_member_count: expect.any(Number),
          });
      }
      expect(await get('/users/@me/guilds?with_counts=true')).toMatchObject([{ approximate_presence_count: 0 }]);
    },
  );

  it('have no regions of voice channels', async () => {
    expect(await get('/voice/regions')).toEqual([]);
    expect(await get(`/guilds/${GUILD}/regions`)).toEqual([]);
    expect(await get(`/guilds/${GUILD}/regions`, OUTSIDER)).toBe('unknownGuild');
  });

  it('show no history to users who may not read it', async () => {
    expect(await get(`/channels/${MUTE_CHANNEL}/messages`)).toEqual([]);
    expect(await get(`/channels/${MUTE_CHANNEL}/messages/1001`)).toBe('missingPermissions');
    expect(await get(`/channels/${MUTE_CHANNEL}/messages/1001/reactions/x`)).toBe('missingPermissions');
  });

  it.each([
    ['', { limit: 50 }],
    ['limit=7', { limit: 7 }],
    ['around=5', { around: '5', limit: 50 }],
    ['before=5', { before: '5', limit: 50 }],
    ['after=5&limit=1', { after: '5', limit: 1 }],
    // Message 1000 + n is event 2n: the messages below sequence 5 are those before message 1003.
    ['before_sequence=5', { before: '1003', limit: 50 }],
    ['before_sequence=6', { before: '1003', limit: 50 }],
    ['before_sequence=0', { before: '1001', limit: 50 }],
    ['before_sequence=11', { limit: 50 }],
    ['before_sequence=999', { limit: 50 }],
    ['after_sequence=6', { after: '1003', limit: 50 }],
    ['after_sequence=7', { after: '1003', limit: 50 }],
    ['after_sequence=0', { after: '0', limit: 50 }],
    ['after_sequence=1', { after: '0', limit: 50 }],
    ['after_sequence=999', { after: '1005', limit: 50 }],
  ])('page the history by "%s"', async (query, expected) => {
    await get(`/channels/${OPEN_CHANNEL}/messages?${query}`);
    expect(pages.at(-1)).toEqual(expected);
  });

  it('refuse two anchors at once', async () => {
    expect(await ask(routes, `/channels/${OPEN_CHANNEL}/messages?before=1&after=2`, MEMBER)).toMatchObject({
      left: { code: 50035, errors: { after: { _errors: [{ code: 'MUTUALLY_EXCLUSIVE' }] } } },
    });
  });

  it('list who reacted', async () => {
    const url = `/channels/${OPEN_CHANNEL}/messages/1001/reactions/${encodeURIComponent('👍')}`;
    expect(ids(await get(url))).toEqual([OWNER, MEMBER]);
    expect(ids(await get(`${url}?limit=1&after=${OWNER}`))).toEqual([MEMBER]);
    const heart = encodeURIComponent('❤️'.replace('\uFE0F', ''));
    expect(ids(await get(`/channels/${OPEN_CHANNEL}/messages/1001/reactions/${heart}`))).toEqual([OWNER, MEMBER]);
    expect(await get(`/channels/${OPEN_CHANNEL}/messages/1001/reactions/x`)).toEqual([]);
    expect(await get(`/channels/${OPEN_CHANNEL}/messages/1001/reactions/${heart}?type=0`)).toHaveLength(2);
    expect(await get(`/channels/${OPEN_CHANNEL}/messages/1001/reactions/${heart}?type=1`)).toEqual([]);
    expect(await get(`/channels/${OPEN_CHANNEL}/messages/1003/reactions/x`)).toBe('unknownMessage');
  });

  it('say that more is pinned although a message of the page is not shown any more', async () => {
    const pinned = [5, 404, 4, 1].map((n) => ({ messageId: String(1000 + n), pinnedTime: NOW + n }));
    const pins = {
      ...deps.views.pins,
      pinned: async (_: string, { limit }: { limit: number }) => pinned.slice(0, limit),
    };
    const withPins = readRoutes({ ...deps, views: { ...deps.views, pins } });
    const board = (limit: number) => ask(withPins, `/channels/${OPEN_CHANNEL}/messages/pins?limit=${limit}`, MEMBER);
    expect(await board(3)).toMatchObject({
      right: { body: { items: [{ message: { id: '1005' } }, { message: { id: '1004' } }], has_more: true } },
    });
    expect(await board(4)).toMatchObject({ right: { body: { has_more: false } } });
  });

  it('look through some thousands of reports at a time for those that are the asker’s to handle, and say where to go on', async () => {
    const reportAt = (n: number): ReportRow => ({
      ...{ id: String(n), guildId: GUILD, messageId: '1005', reporter: BOT },
      // Nobody hears of reports about themselves, nor of those in channels in which they do not manage messages.
      ...{ channelId: n > 1 && n % 3 > 0 ? `9${n % 250}` : OPEN_CHANNEL, author: n % 3 > 0 ? MEMBER : OWNER },
      ...{ forAdministrators: false, kind: 'spam', time: NOW, answer: null },
      text: { sealed: { by: BOT, box: '' }, sealedIn: 'e' },
    });
    const all = Array.from({ length: 6000 }, (_, n) => reportAt(6000 - n));
    let questions = 0;
    const reports: Readers['reports'] = {
      ...deps.views.reports,
      reports: async (_, { before, after, limit, look, except }) => {
        questions += 1;
        const lookedThrough = (after === undefined ? all : all.toReversed())
          .filter(({ id }) => before === undefined || Number(id) < Number(before))
          .filter(({ id }) => after === undefined || Number(id) > Number(after))
          .slice(0, look);
        const rows = lookedThrough
          .filter(({ author, channelId }) => author !== except?.author && !except?.channelIds.includes(channelId))
          .slice(0, limit);
        const last = rows.length === limit ? rows.at(-1) : lookedThrough[look - 1];
        return { rows, next: last?.id };
      },
    };
    const presenter = { ...deps.presenter, reports: async (rows: readonly ReportRow[]) => rows as never };
    const access: typeof deps.access = Object.create(deps.access, {
      channel: {
        value: async (userId: string, id: string) =>
          id.startsWith('9') ? { permissions: 0n } : deps.access.channel(userId, id),
      },
    });
    const withReports = readRoutes({ ...deps, access, presenter, views: { ...deps.views, reports } });
    const pageAfter = async (query: string) => {
      questions = 0;
      const answer = await ask(withReports, `/guilds/${GUILD}/reports?${query}`, OWNER);
      expect(questions).toBeLessThanOrEqual(5);
      if (either.isLeft(answer)) throw new Error(answer.left.message);
      const { body, headers } = answer.right;
      return { ids: (body as ReportRow[]).map(({ id }) => id), next: headers?.['x-parley-next'] };
    };
    for (const [limit, direction, start, found] of [
      [1, 'before', '6001', ['1']],
      [50, 'before', '6000', ['1']],
      [1, 'after', '0', ['1']],
      [50, 'after', '1', []],
    ] as const) {
      const ids: string[] = [];
      let next: string | undefined = start;
      let requests = 0;
      while (next !== undefined) {
        requests += 1;
        const page = await pageAfter(`limit=${limit}&${direction}=${next}`);
        ids.push(...page.ids);
        ({ next } = page);
      }
      expect([direction, ids]).toEqual([direction, found]);
      expect(requests).toBeLessThanOrEqual(4);
    }
  });

  it('find public guilds by any spelling of their names', async () => {
    const guild = (await deps.views.guilds.guild(GUILD))!;
    const guilds = { ...deps.views.guilds, publicGuilds: async () => [{ ...guild, name: 'Cafe\u0301 ＵＮＤ Bar' }] };
    const found = readRoutes({ ...deps, views: { ...deps.views, guilds } });
    for (const q of ['caf\u00e9', 'CAFE\u0301', 'und', 'b\u200dar', ''])
      expect(await ask(found, `/discovery?q=${encodeURIComponent(q)}`, MEMBER)).toMatchObject({
        right: { body: [{ id: GUILD }] },
      });
    expect(await ask(found, '/discovery?q=cafe', MEMBER)).toMatchObject({ right: { body: [] } });
  });

  it('show invites that still admit someone', async () => {
    expect(await get('/invites/good', OUTSIDER)).toMatchObject({ code: 'good', guild: { id: GUILD } });
    for (const code of ['expired', 'used', 'never']) expect(await get(`/invites/${code}`)).toBe('unknownInvite');
  });

  it('show an application to its bot and its owner only', async () => {
    for (const path of ['/oauth2/applications/@me', '/applications/@me', `/applications/${BOT}`]) {
      expect(await get(path, BOT)).toMatchObject({ id: BOT, bot: { id: BOT }, owner: { id: OWNER } });
    }
    expect(await get(`/applications/${BOT}`, OWNER)).toMatchObject({ id: BOT });
    expect(await get(`/applications/${BOT}`, MEMBER)).toBe('unknownApplication');
    expect(await get('/applications/@me', MEMBER)).toBe('unknownApplication');
  });

  it('wait for bans and reports to be stored, because no node adds to them what it has received', async () => {
    const waitedFor: Read[] = [];
    const ownWrites = async (_: string, reads: readonly Read[]) => {
      waitedFor.push(...reads);
      return false;
    };
    const waiting = readRoutes(aWorld({ ownWrites }).deps);
    const bans = `/guilds/${GUILD}/bans`;
    for (const url of [bans, `${bans}/${MEMBER}`, '/users/@me/reports']) await ask(waiting, url, OWNER);
    expect(waitedFor).toEqual(['guild-rows', 'guild-rows', 'guild-rows']);
  });

  it("answer 503 with a time to retry while the views do not hold the asker's writes", async () => {
    const behind = readRoutes(aWorld({ ownWrites: async () => false }).deps);
    for (const url of ['/users/@me', `/guilds/${GUILD}`, `/channels/${OPEN_CHANNEL}/messages`, '/invites/good']) {
      expect(await ask(behind, url, MEMBER)).toMatchObject({ left: { status: 503, retryAfter: 1 } });
    }
  });
});
