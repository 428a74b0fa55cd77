/** Whether what people do in a guild, and joining one, costs the same however many members the guild has. */

import { Api } from '../test/support/api.ts';
import { ALL_INTENTS, GatewayClient } from '../test/support/gateway-client.ts';
import { type Bench, median, round } from './bench.ts';
import { metricsOf } from './support/metrics.ts';
import { startPlace } from './support/place.ts';
import { FEW, MANY, type Populous, populous, type Settled } from './support/populous.ts';

const WARM_UP_ROUNDS = 3;
const ROUNDS = 8;
/** Commands under way at once. */
const WINDOW = 16;
/** In a round each sends, edits, reacts, takes the reaction back, reads and types. */
const MESSAGES = 120;
const JOINS = 15;

interface Cost {
  /** Of the server's CPU, in each round. */
  readonly ms: number[];
  /** As the client sees it, in each round. */
  readonly waited: number[];
}

/** Rounds with few and with many, by turns. */
const inTurns = async ({ place, few, many }: Populous, one: (where: Settled) => Promise<void>) => {
  const cpu = async () => (await metricsOf(place.server().url)).all('process_cpu_seconds_total')[0]! * 1_000;
  const costs: Record<'few' | 'many', Cost> = { few: { ms: [], waited: [] }, many: { ms: [], waited: [] } };
  for (let n = 0; n < WARM_UP_ROUNDS + ROUNDS; n += 1)
    for (const which of n % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const)) {
      const [before, begun] = [await cpu(), performance.now()];
      await one(which === 'few' ? few : many);
      const waited = performance.now() - begun;
      if (n < WARM_UP_ROUNDS) continue;
      costs[which].ms.push((await cpu()) - before);
      costs[which].waited.push(waited);
    }
  return costs;
};

const counted = (n: number): string => n.toLocaleString('en');

const figuresOf = (costs: Awaited<ReturnType<typeof inTurns>>, each: number, what: string) => {
  const perOne = (values: readonly number[]) => median(values) / each;
  const of = (size: number, { ms, waited }: Cost) => ({
    [`CPU ms for ${what} with ${counted(size)}`]: round(perOne(ms), 3),
    [`ms with ${counted(size)}`]: round(perOne(waited), 3),
  });
  return {
    figures: { ...of(FEW, costs.few), ...of(MANY, costs.many) },
    ratio: perOne(costs.many.ms) / perOne(costs.few.ms),
  };
};

/** @throws when it is refused */
const carriedOut = async (client: GatewayClient, command: Readonly<Record<string, unknown>>) => {
  const answer = await client.command(command as { type: string });
  if (!answer.ok) throw new Error(`${command.type} was refused: ${answer.error?.message}`);
  return answer.result;
};

export const members: Bench = {
  name: 'members',
  title: "the server's CPU time for a command in a guild of 100,000 members / of 50, the same 50 online",
  reach: { comparison: '<=', value: 1.1 },
  prepare: populous,
  run: async () => {
    const made = await populous();
    const tokens = [made.place.owner.token, ...made.both];
    const online = await Promise.all(
      tokens.map((token) => GatewayClient.identified(made.place.server().url, token, ALL_INTENTS)),
    );
    try {
      const conversation = async (channel_id: string, author: GatewayClient, other: GatewayClient) => {
        const { id: message_id } = await carriedOut(author, { type: 'message.send', channel_id, content: 'hello' });
        const message = { channel_id, message_id };
        await carriedOut(author, { type: 'message.edit', ...message, content: 'hello again' });
        await carriedOut(other, { type: 'reaction.add', ...message, emoji: '👍' });
        await carriedOut(other, { type: 'reaction.remove', ...message, emoji: '👍' });
        await carriedOut(other, { type: 'channel.read', ...message });
        await carriedOut(other, { type: 'typing.start', channel_id });
      };
      const costs = await inTurns(made, async ({ channelId }) => {
        let begun = 0;
        const talk = async () => {
          for (let n = begun++; n < MESSAGES; n = begun++)
            await conversation(channelId, online[n % FEW]!, online[(n + 1) % FEW]!);
        };
        await Promise.all(Array.from({ length: WINDOW }, talk));
        for (const client of online) client.frames.length = 0;
      });
      return figuresOf(costs, MESSAGES * 6, 'a command');
    } finally {
      for (const { socket } of online) socket.terminate();
    }
  },
};

export const membersJoin: Bench = {
  name: 'members-join',
  title: "the server's CPU time for joining a guild of 100,000 members / of 50, joiner and 50 members online",
  reach: { comparison: '<=', value: 1.2 },
  prepare: populous,
  run: async () => {
    const made = await populous();
    const { url } = made.place.server();
    const intents = ALL_INTENTS | (1 << 1);
    const online = await Promise.all(
      [made.place.owner.token, ...made.both].map((token) => GatewayClient.identified(url, token, intents)),
    );
    try {
      const next = new Map([made.few, made.many].map((where) => [where, 0]));
      const costs = await inTurns(made, async (where) => {
        for (let n = 0; n < JOINS; n += 1) {
          const token = made.strangers[next.get(where)!]!;
          next.set(where, next.get(where)! + 1);
          const joiner = await GatewayClient.identified(url, token, intents);
          await new Api(url, { id: '', username: '', token, authorization: `Bearer ${token}` }).join(where.code);
          await joiner.dispatch('GUILD_CREATE', (d) => d.id === where.guildId);
          joiner.socket.terminate();
        }
        for (const client of online) client.frames.length = 0;
      });
      return figuresOf(costs, JOINS, 'a join');
    } finally {
      for (const { socket } of online) socket.terminate();
    }
  },
};

const CHANNELS = 500;
const ROLES = 250;
const BEGINNINGS = 15;

export const guildCreate: Bench = {
  name: 'guild-create',
  title: 'ms from identify to GUILD_CREATE of a guild with 500 channels and 250 roles, and its bytes',
  run: async () => {
    const place = await startPlace();
    try {
      await place.channels(CHANNELS);
      for (let n = 1; n < ROLES; n += 1)
        await place.api().ask('POST', `/guilds/${place.guildId}/roles`, { name: `role ${n}`, permissions: '1024' });
      const times: number[] = [];
      let bytes = 0;
      for (let n = 0; n < BEGINNINGS; n += 1) {
        const client = await GatewayClient.connect(place.server().url);
        const begun = performance.now();
        client.identify(place.owner.token, ALL_INTENTS);
        const frame = await client.dispatch('GUILD_CREATE');
        times.push(performance.now() - begun);
        bytes = Buffer.byteLength(JSON.stringify(frame));
        client.socket.terminate();
      }
      // The first ones run code that is not compiled yet.
      const ms = median(times.slice(BEGINNINGS / 3));
      return { figures: { bytes, 'ms to the first': round(times[0]!, 1), 'ms later': round(ms, 1) }, ratio: ms };
    } finally {
      await place.remove();
    }
  },
};
