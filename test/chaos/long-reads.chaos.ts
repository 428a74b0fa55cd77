/** Twenty resumes over 38,000 events, pages beside 18,000 reactions, and clients that do not read: others notice little. */

import { readFileSync } from 'node:fs';
import { either } from 'fp-ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { posted } from '../../bench/support/appenders.ts';
import { openSqliteEventLog } from '../../log/sqlite/event-log.ts';
import { systemClock } from '../../schemas/clock.ts';
import { type NewParleyEvent, versionOf } from '../../schemas/events/catalogue.ts';
import { channelStream } from '../../schemas/streams.ts';
import type { Api, Channel } from '../support/api.ts';
import { GatewayClient } from '../support/gateway-client.ts';
import { type EmbeddedInstance, startInstance } from '../support/instance.ts';
import { figure } from './figures.ts';

const MESSAGES = 20_000;
const REACTIONS = 18_000;
const PAGE = 1_000;
/** What somebody else's request may take on a busy machine, in milliseconds. */
const SOON_MS = 2_000;

const reacted = (stream: string, sequence: number, messageId: string, n: number): NewParleyEvent => ({
  ...(posted(stream, sequence) as Extract<NewParleyEvent, { type: 'message-posted' }>),
  type: 'reaction-added',
  schema: versionOf('reaction-added'),
  data: { messageId, ordinal: 1, author: '1', userId: String(1_000_000 + n), emoji: '👍' },
});

describe('while the log is read for long', () => {
  let instance: EmbeddedInstance;
  let owner: Api;
  let token: string;
  let busy: Channel;
  let reactions: Channel;
  let session: { session_id: string; seq: number };

  beforeAll(async () => {
    instance = await startInstance();
    const account = await instance.api.register('ada');
    token = account.token;
    owner = instance.api.as(account);
    const guild = await owner.createGuild('Long');
    busy = guild.channel;
    reactions = await owner.createChannel(guild.id, { name: 'reactions' });
    const first = await owner.send(busy.id, 'first');
    const reactedTo = await owner.send(reactions.id, 'first');
    await instance.server().stop();

    const log = await openSqliteEventLog({ directory: instance.data, clock: systemClock });
    const seq = await log.head();
    const fill = async (
      channel: Channel,
      count: number,
      event: (stream: string, at: number, n: number) => NewParleyEvent,
    ) => {
      const stream = channelStream(channel.id);
      const { sequence } = await log.streamHead(stream);
      for (let n = 0; n < count; n += PAGE) {
        const events = Array.from({ length: PAGE }, (_, i) => event(stream, sequence + n + i + 1, n + i));
        const answer = await log.append({ stream, expected: sequence + n, events });
        if (either.isLeft(answer)) throw new Error(answer.left.kind);
      }
    };
    await fill(reactions, REACTIONS, (stream, at, n) => reacted(stream, at, reactedTo.id, n));
    await fill(busy, MESSAGES, (stream, at, n) => {
      const event = posted(stream, at, String(BigInt(first.id) + (BigInt(n + 1) << 22n)));
      return { ...event, data: { ...event.data, ordinal: n + 2 } } as NewParleyEvent;
    });
    await log.close();
    await instance.start();
    const client = await GatewayClient.identified(instance.url, token);
    // As if it had been cut before all of that.
    session = { session_id: client.session().session_id, seq };
    await client.cut();
  });
  afterAll(() => instance?.close());

  /** The longest time that `/health` took to answer while `work` was under way, in milliseconds. */
  const slowestHealth = async (work: Promise<unknown>): Promise<number> => {
    let slowest = 0;
    let ended = false;
    const end = () => {
      ended = true;
    };
    work.then(end, end);
    while (!ended) {
      const began = performance.now();
      await (await fetch(`${instance.server().url}/health`)).arrayBuffer();
      slowest = Math.max(slowest, performance.now() - began);
    }
    await work;
    return Math.round(slowest);
  };
  const memory = (): number => {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${instance.server().pid}/status`, 'utf8'))!;
    return Math.round(Number(kilobytes) / 1024);
  };

  it('pages beside 18,000 reactions are found at once, and hold nobody up', async () => {
    const began = performance.now();
    const ask = () => owner.request('GET', `/channels/${reactions.id}/messages?before_sequence=3`);
    const slowest = await slowestHealth(Promise.all(Array.from({ length: 8 }, ask)));
    figure('eight pages beside 18,000 reactions: all, and the slowest /health', [performance.now() - began, slowest]);
    expect(slowest).toBeLessThan(SOON_MS);
  });

  it('twenty resumes of everything end, and hold nobody up', async () => {
    const began = performance.now();
    const resume = async () => {
      const client = await GatewayClient.connect(instance.url);
      client.resume(token, session);
      await client.until((frames) => frames.at(-1)?.t === 'RESUMED', 'RESUMED', 300_000);
      await client.cut();
    };
    const slowest = await slowestHealth(Promise.all(Array.from({ length: 20 }, resume)));
    figure('twenty resumes of 38,000 events: all, and the slowest /health', [performance.now() - began, slowest]);
    expect(slowest).toBeLessThan(SOON_MS);
  });

  it('ten resumes whose clients do not read take little memory', async () => {
    const before = memory();
    const clients = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const client = await GatewayClient.connect(instance.url);
        client.resume(token, session);
        client.socket.pause();
        return client;
      }),
    );
    let most = before;
    for (let n = 0; n < 50; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      most = Math.max(most, memory());
    }
    figure('memory before and while ten resumes are not read', [before, most], 'MB');
    expect(most - before).toBeLessThan(300);
    for (const client of clients) client.socket.terminate();
  });
});
