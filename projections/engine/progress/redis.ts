/** Progress over plain Redis pub/sub: every node receives every update. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { type Clock, within } from '../../../schemas/clock.ts';
import { BUDGETS } from '../../../stores/budgets.ts';
import type { Redis, RedisClient } from '../../../stores/redis/connection.ts';
import { EmptyRange } from '../empty-ranges.ts';
import type { ProgressChannel, ProgressUpdate } from './port.ts';

const { togetherMs, startMs } = BUDGETS.progress;

const Message = t.array(
  t.intersection([
    t.type({
      view: t.keyof({ 'guild-views': null, timelines: null, unread: null }),
      generation: t.number,
      through: t.record(t.string, t.number),
    }),
    t.partial({ empty: t.array(EmptyRange) }),
  ]),
);

type Through = Record<number, number>;

/** Of one that is forgotten, the updates are heard again, which changes nothing. */
const MOST_SENT = 100;

/** Updates of one view that wait to be sent. */
interface Waiting extends ProgressUpdate {
  readonly through: Through;
  readonly empty: EmptyRange[];
}

class RedisProgress implements ProgressChannel {
  private readonly redis: Redis;
  private readonly channel: string;
  private readonly listeners: ((update: ProgressUpdate) => void)[] = [];
  private readonly waiting = new Map<string, Waiting>();
  /** Messages that Redis has not brought back yet. Their updates were heard when they were published. */
  private readonly sent = new Set<string>();
  private readonly clock: Clock;
  private cancel: (() => void) | undefined;
  private subscriber: RedisClient | undefined;

  constructor(redis: Redis, namespace: string, clock: Clock) {
    this.redis = redis;
    this.clock = clock;
    this.channel = `${namespace}:progress`;
  }

  /** Reaches this node at once, with or without Redis. */
  publish(update: ProgressUpdate): void {
    this.hear(update);
    const key = `${update.view} ${update.generation}`;
    const { through, empty }: Waiting = this.waiting.get(key) ?? { ...update, through: {}, empty: [] };
    for (const [partition, position] of Object.entries(update.through))
      through[Number(partition)] = Math.max(through[Number(partition)] ?? 0, position);
    empty.push(...(update.empty ?? []));
    this.waiting.set(key, { ...update, through, empty });
    this.cancel ??= this.clock.setTimer(togetherMs, () => this.send());
  }

  onUpdate(listener: (update: ProgressUpdate) => void): void {
    this.listeners.push(listener);
  }

  async start(): Promise<void> {
    const subscriber = this.redis.subscriber('progress');
    this.subscriber = subscriber;
    subscriber.on('message', (_, text: string) => this.receive(text));
    const subscribed = new Promise<void>((resolve) => {
      subscriber.on('ready', async () => {
        // A failure here comes from a lost connection; the next connection subscribes again.
        await subscriber.subscribe(this.channel).catch(() => {});
        resolve();
      });
    });
    await within(this.clock, startMs, subscribed);
  }

  async stop(): Promise<void> {
    this.cancel?.();
    this.subscriber?.disconnect();
  }

  private send(): void {
    this.cancel = undefined;
    const message = [...this.waiting.values()].map(({ empty, ...update }) =>
      empty.length === 0 ? update : { ...update, empty },
    );
    this.waiting.clear();
    const text = JSON.stringify(message);
    if (this.subscriber !== undefined) this.sent.add(text);
    if (this.sent.size > MOST_SENT) this.sent.delete(this.sent.values().next().value!);
    // Nodes that miss the message poll the store.
    this.redis.run((client) => client.publish(this.channel, text)).catch(() => {});
  }

  private receive(text: string): void {
    if (this.sent.delete(text)) return;
    const message = either.tryCatch(
      () => JSON.parse(text) as unknown,
      () => undefined,
    );
    if (either.isLeft(message)) return;
    const updates = Message.decode(message.right);
    if (either.isRight(updates)) for (const update of updates.right) this.hear(update);
  }

  private hear(update: ProgressUpdate): void {
    for (const listener of this.listeners) listener(update);
  }
}

/** @param namespace of the installation, prefix of the channel's name */
export const redisProgress = (redis: Redis, namespace: string, clock: Clock): ProgressChannel =>
  new RedisProgress(redis, namespace, clock);
