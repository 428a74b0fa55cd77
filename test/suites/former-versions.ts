/** Runs the current server on stores of a former version: everything is there, and it carries on. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { wireTime } from '../../presenter/time.ts';
import { type Kept, PASSWORD, replayed, resumedBy, shownOf, THUMB } from '../fixtures/world.ts';
import { Api, type Message } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';

export interface Restored {
  readonly url: string;
  close(): Promise<void>;
}

type Event = Record<string, unknown> & { readonly type: string; readonly schema: number };
type Shown = Readonly<Record<string, unknown>> & {
  readonly missed: readonly string[];
  readonly events: readonly Event[];
};

const json = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;

/** Views that are rebuilt on a freshly started server may take a while. */
const PATIENCE = { interval: 200, timeout: 60_000 } as const;

/** A guild's owner has every permission, so the value grows with each new permission. */
const withoutOwnersRights = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer), (_, value) => {
    if (value === null || typeof value !== 'object' || value.owner !== true) return value;
    const { permissions: __, ...rest } = value;
    return rest;
  });

/** Whoever could write then may create threads and write in them now (bits 35, 36 and 38). */
const withThreads = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer), (name, value) => {
    const canWrite = name === 'permissions' && typeof value === 'string' && (BigInt(value) & (1n << 11n)) !== 0n;
    return canWrite ? String(BigInt(value) | (1n << 35n) | (1n << 36n) | (1n << 38n)) : value;
  });

/** Times were once written without microseconds, and with `Z` as their zone. */
const withPresentTimes = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer), (_, value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? wireTime(Date.parse(value)) : value,
  );

/** Those who reacted were once listed in the order of their reactions, and now by id. */
const inOrder = (asked: string) => (answer: unknown) => {
  if (!asked.includes('/reactions/')) return answer;
  const { body, ...rest } = answer as { body: { id: string }[] };
  return { ...rest, body: body.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1)) };
};

/** The tokens that people had then have expired. Those of bots count still. */
const signInAgain = async (url: string, kept: Kept): Promise<void> => {
  for (const person of Object.values(kept.people)) {
    if (person.authorization.startsWith('Bot ')) continue;
    const { username } = person;
    const body = { username, password: PASSWORD };
    const { token } = await new Api(url).ask<{ token: string }>('POST', '/login', body);
    Object.assign(person, { token, authorization: `Bearer ${token}` });
  }
};

/**
 * @param folder of the fixture
 * @param restore starts a server on a copy of its stores
 */
export const formerVersionsSuite = (folder: string, restore: () => Promise<Restored>) =>
  describe(`stores kept in ${folder}`, () => {
    const kept = json<Kept>(`${folder}/kept.json`);
    const { missed, events, ...answers } = json<Shown>(`${folder}/shown.json`);
    let server: Restored;
    const as = (name: keyof Kept['people']) => new Api(server.url, kept.people[name]);

    beforeAll(async () => {
      server = await restore();
      await signInAgain(server.url, kept);
      await vi.waitFor(() => replayed(server.url, kept), PATIENCE);
    }, 120_000);

    afterAll(() => server?.close());

    it('hold an event of every type of their version', () => {
      const lines = readFileSync('test/fixtures/v1/events.ndjson', 'utf8').trim().split('\n');
      const types = new Set(lines.map((line) => (JSON.parse(line) as Event).type));
      expect(new Set(events.map(({ type }) => type))).toEqual(types);
    });

    it('are replayed completely: every event is read, and a destroyed key stays destroyed', async () => {
      // A newer form of an event may add fields, but never changes the others.
      const now = await replayed(server.url, kept);
      expect(now).toHaveLength(events.length);
      for (const [at, { schema, ...event }] of events.entries()) expect(now[at]).toMatchObject(event);
    });

    it('show each person the same people, guilds, channels, histories and unread counts', async () => {
      const now = await shownOf(server.url, kept);
      expect(Object.keys(now)).toEqual(Object.keys(answers));
      for (const [asked, answer] of Object.entries(answers)) {
        const [then, today] = [answer, now[asked]]
          .map(withoutOwnersRights)
          .map(withThreads)
          .map(withPresentTimes)
          .map(inOrder(asked)) as [object, object];
        expect(today, asked).toMatchObject(then);
      }
    });

    it('let the old session resume with what it missed', async () => {
      expect(await resumedBy(server.url, kept)).toEqual(missed);
    });

    it('accept old passwords of people and old tokens of bots', async () => {
      const anybody = new Api(server.url);
      const { token } = await anybody.ask<{ token: string }>('POST', '/login', { username: 'Bob', password: PASSWORD });
      const socket = await GatewayClient.identified(server.url, token);
      await socket.cut();
      const bot = await GatewayClient.identified(server.url, kept.people.parrot.token);
      await bot.cut();
      const wrong = await anybody.request('POST', '/login', { username: 'bob', password: 'wrong horse battery' });
      expect(wrong.status).toBe(400);
      const taken = await anybody.request('POST', '/auth/register', { username: 'ADA', password: PASSWORD });
      expect(taken.status).toBe(400);
    });

    it('continue where they ended', async () => {
      const ada = as('ada');
      const [last] = await ada.history(kept.channel, '?limit=1');
      const listener = await GatewayClient.identified(server.url, kept.people.bob.token);
      const reply = { content: 'as if nothing had been', message_reference: { message_id: kept.message } };
      const said = await ada.send(kept.channel, reply);
      expect(said).toMatchObject({ ordinal: last!.ordinal + 1, sequence: last!.sequence + 1, type: 19 });
      await listener.dispatch('MESSAGE_CREATE', (d) => d.id === said.id);
      const at = `/channels/${kept.channel}/messages/${kept.message}`;
      expect(await ada.ask<Message>('PATCH', at, { content: 'hello again' })).toMatchObject({ content: 'hello again' });
      await listener.dispatch('MESSAGE_UPDATE', (d) => d.id === kept.message);
      await as('bob').ask('PUT', `${at}/reactions/${THUMB}/@me`);
      await listener.dispatch('MESSAGE_REACTION_ADD', (d) => d.user_id === kept.people.bob.id);
      await as('bob').ask('POST', `/channels/${kept.channel}/messages/${said.id}/ack`, {});
      await listener.dispatch('MESSAGE_ACK', (d) => d.message_id === said.id);
      expect((await as('bob').send(kept.direct, 'still here')).ordinal).toBe(3);
      await listener.cut();
    });

    it('still count who joined through a capped invite', async () => {
      const anybody = new Api(server.url);
      const [dora, eve] = [await anybody.register('dora'), await anybody.register('eve')];
      await anybody.as(dora).join(kept.capped);
      expect((await anybody.as(eve).request('POST', `/invites/${kept.capped}`)).status).toBe(404);
    });
  });
