/** Many people who talk and listen over two gateways at once. */

import { type Account, Api, type Channel, joined, someName } from './api.ts';
import type { Cluster } from './cluster.ts';
import { PipelinedSender } from './pipelined-sender.ts';
import { Subscriber } from './subscriber.ts';
import { Watched } from './watched.ts';

export interface LoadOptions {
  /** May read the log. Default: the owner, who must then be the first to register. */
  readonly administrator?: Api;
  /** Default: 4. */
  readonly channels?: number;
  /** Default: 10. */
  readonly senders?: number;
  /** Default: 20. */
  readonly subscribers?: number;
  /** Milliseconds after which each sender has two unanswered commands again. Default: 250. */
  readonly everyMs?: number;
  /** Senders repeat what the server asks them to send again. Default: the load fails. */
  readonly repeats?: boolean;
}

export interface Load {
  readonly owner: Api;
  readonly administrator: Api;
  readonly guildId: string;
  readonly channels: readonly Channel[];
  readonly senders: readonly PipelinedSender[];
  readonly subscribers: readonly Subscriber[];
  acknowledged(): number;
  /** Resolves when this many more messages are acknowledged. */
  more(count: number): Promise<void>;
  /** Every fifth subscriber marks the last message it heard as read. */
  read(): Promise<void>;
  /** Ordinal of the last message marked as read, by account and channel. */
  readonly markers: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Resolves when every subscriber has heard everything acknowledged so far. */
  heard(): Promise<void>;
  /** Stops sending. Resolves when everything sent is acknowledged and every subscriber has heard it. */
  settle(): Promise<void>;
  close(): void;
}

const PATIENCE_MS = 60_000;

/** Rotates the list, so that each starts with another one. */
const turned = (bases: readonly string[], by: number): string[] =>
  bases.map((_, index) => bases[(index + by) % bases.length]!);

/** Senders and subscribers start spread over the two gateways of a cluster, and move to the other when they lose one. */
export const startLoad = async (
  cluster: Pick<Cluster<'api' | 'gateway-1' | 'gateway-2'>, 'url'>,
  options: LoadOptions = {},
): Promise<Load> => {
  const gateways = [cluster.url('gateway-1'), cluster.url('gateway-2')];
  const anybody = new Api(cluster.url('api'));
  const owner = anybody.as(await anybody.register(someName('owner')));
  const guild = await owner.createGuild('Load');
  const channels = [guild.channel];
  while (channels.length < (options.channels ?? 4))
    channels.push(await owner.createChannel(guild.id, { name: `channel-${channels.length}` }));
  const people = await joined(owner, guild, 'sender', options.senders ?? 10);
  const listeners = await joined(owner, guild, 'listener', options.subscribers ?? 20);

  const progress = new Watched();
  const changed = () => progress.changed();
  const subscribers = listeners.map((account, index) => new Subscriber(turned(gateways, index), account, changed));
  const senders: PipelinedSender[] = [];
  const close = () => {
    for (const sender of senders) sender.abandon();
    for (const subscriber of subscribers) subscriber.stop();
  };
  try {
    await Promise.all(subscribers.map((subscriber) => subscriber.start()));
  } catch (error) {
    close();
    throw error;
  }
  const talking = (account: Account, index: number) =>
    new PipelinedSender({
      bases: turned(gateways, index),
      account,
      channelId: channels[Math.floor(index / gateways.length) % channels.length]!.id,
      window: 2,
      everyMs: options.everyMs ?? 250,
      ...(options.repeats === undefined ? {} : { repeats: options.repeats }),
      // One message in ten mentions a subscriber.
      words: (n) =>
        `${account.username} says ${n}${n % 10 === 0 ? ` to <@${listeners[(n / 10 + index) % listeners.length]!.id}>` : ''}`,
      onAcknowledged: changed,
    });
  senders.push(...people.map(talking));
  const running = Promise.all(senders.map((sender) => sender.run()));
  running.catch((error) => progress.fail(error));

  const acknowledged = () => senders.reduce((sum, sender) => sum + sender.acknowledged.size, 0);
  const heard = () => {
    const marks = channels.map(({ id }) => {
      const of = senders.filter(({ channelId }) => channelId === id);
      return { id, mark: Math.max(0, ...of.map((sender) => sender.lastSequence)) };
    });
    const behind = () =>
      subscribers.filter(({ reached }) => marks.some(({ id, mark }) => (reached.get(id) ?? 0) < mark));
    return progress.until(
      () => behind().length === 0,
      () =>
        `every subscriber to hear ${JSON.stringify(marks)}; behind are ${JSON.stringify(
          behind().map(({ base, reached, resumes, invalidSessions }) => ({
            base,
            reached: Object.fromEntries(reached),
            resumes,
            invalidSessions,
          })),
        )}`,
      PATIENCE_MS,
    );
  };

  const markers = new Map<string, Map<string, number>>();
  const read = async () => {
    for (const [index, { account, messages }] of subscribers.entries()) {
      const last = messages.at(-1);
      if (index % 5 > 0 || last === undefined) continue;
      await owner.as(account).ask('POST', `/channels/${last.channelId}/messages/${last.id}/ack`, {});
      markers.set(account.id, (markers.get(account.id) ?? new Map()).set(last.channelId, last.ordinal));
    }
  };

  return {
    owner,
    administrator: options.administrator ?? owner,
    guildId: guild.id,
    channels,
    senders,
    subscribers,
    acknowledged,
    more: (count) => {
      const wanted = acknowledged() + count;
      return progress.until(
        () => acknowledged() >= wanted,
        () => `${wanted} acknowledgements; there are ${acknowledged()}`,
        PATIENCE_MS,
      );
    },
    heard,
    read,
    markers,
    settle: async () => {
      for (const sender of senders) sender.stop();
      await running;
      await heard();
    },
    close,
  };
};
