/** The feed's law over random histories: whatever happens to messages, each event is handed over once and in order. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { type Audience, channelAudience, userAudience } from '../../schemas/streams.ts';
import { Story } from '../testing.ts';
import { type Fate, MemoryTransport } from './memory.ts';
import { OwnFeed } from './own-feed.ts';
import type { MendingFeedReader } from './reader.ts';
import { aReader, HASTY, Handed, MemoryPublisher } from './testing.ts';

const PARTITIONS = 3;
const CHANNELS = ['30', '31', '32', '33'];
const PEOPLE = ['10', '11'];
const AUDIENCES: readonly Audience[] = [...CHANNELS.map(channelAudience), ...PEOPLE.map(userAudience)];

const partition = fc.nat({ max: PARTITIONS - 1 });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('post' as const), channel: fc.constantFrom(...CHANNELS) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('read' as const), person: fc.constantFrom(...PEOPLE) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('join' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      by: fc.nat({ max: 1 }),
      partition,
      limit: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('arrive' as const), partition, count: fc.nat({ max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take over' as const), by: fc.nat({ max: 1 }), partition }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('listen' as const), to: fc.constantFrom(...AUDIENCES) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), from: fc.constantFrom(...AUDIENCES) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'reconnect' as const, 'reconnect' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('subscribing' as const),
      is: fc.constantFrom('confirmed' as const, 'refused' as const, 'hangs' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pace' as const), slow: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 4 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Calm and faulty periods. */
const fates = fc
  .array(
    fc.oneof(
      fc.array(fc.constant<Fate>('arrives'), { minLength: 1, maxLength: 12 }),
      fc.array(fc.constantFrom<Fate>('arrives', 'twice', 'lost', 'lost'), { minLength: 1, maxLength: 12 }),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((times) => times.flat());

const isFor = (audience: Audience, event: ParleyEvent): boolean => {
  if (event.type === 'member-joined') return false;
  return event.type === 'channels-read'
    ? audience === userAudience(event.data.userId)
    : event.stream === audience.replace(':', '-');
};

/** A listener of an audience from a position on. */
interface Stay {
  readonly audience: Audience;
  readonly after: number;
  through: number;
}

class Play {
  readonly story = new Story();
  readonly handed = new Handed();
  readonly stays: Stay[] = [];
  readonly transport: MemoryTransport;
  readonly reader: MendingFeedReader;
  private readonly publishers: readonly MemoryPublisher[];
  private readonly listening: Promise<void>[] = [];
  private readonly left: { readonly audience: Audience; stay: Stay | undefined }[] = [];
  private members = 0;

  /** @param isNear whether one of the projectors runs in the reader's process */
  constructor(fates: readonly Fate[], slowListener: boolean, isNear: boolean) {
    const own = isNear ? new OwnFeed() : undefined;
    this.transport = new MemoryTransport(own);
    let n = 0;
    this.transport.fate = () => {
      n += 1;
      return fates[n % fates.length]!;
    };
    this.publishers = [false, true].map((tellsOfOthers) => {
      const publisher = new MemoryPublisher(this.story.log, PARTITIONS, tellsOfOthers);
      publisher.transports.push(this.transport);
      if (tellsOfOthers) publisher.own = own;
      return publisher;
    });
    const { log } = this.story;
    this.reader = aReader({
      log: {
        head: () => log.head(),
        // The log answers late, so that things happen in between.
        readAll: async (query) => {
          const page = await log.readAll({ ...query, limit: Math.min(query.limit, 5) });
          await nextTurn();
          return page;
        },
      },
      transport: this.transport,
      own,
      partitions: PARTITIONS,
      limits: { ...HASTY, pending: { count: 10, bytes: 10_000 } },
      clock: systemClock,
    });
    this.onBatch = async (events, through) => {
      await this.handed.onBatch(events, through);
      for (let n = 0; n < (slowListener ? 3 : 0); n += 1) await nextTurn();
    };
  }

  readonly onBatch: (events: readonly ParleyEvent[], through: number) => Promise<void>;

  async take(step: Step): Promise<void> {
    const { story, transport } = this;
    switch (step.kind) {
      case 'post':
        story.post(step.channel, PEOPLE[0]!);
        return;
      case 'read':
        story.read(step.person, {});
        return;
      case 'join':
        this.members += 1;
        story.join('20', String(1000 + this.members));
        return;
      case 'publish':
        return this.publishers[step.by]!.publish(step.partition, step.limit);
      case 'take over':
        return this.publishers[step.by]!.takeOver(step.partition);
      case 'arrive':
        transport.arrive(step.partition, step.count);
        return;
      case 'listen':
        this.listen(step.to);
        return;
      case 'leave':
        this.leave(step.from);
        return;
      case 'cut':
        transport.cut();
        return;
      case 'reconnect':
        await this.reconnect();
        return;
      case 'subscribing':
        if (step.is === 'confirmed') transport.confirmHanging();
        else transport.subscribing = step.is;
        return;
      case 'pace':
        transport.slow = step.slow;
        return;
      case 'turns':
        for (let n = 0; n < step.count; n += 1) await nextTurn();
    }
  }

  private listen(audience: Audience): void {
    const place = { audience, stay: undefined as Stay | undefined };
    this.left.push(place);
    this.listening.push(
      this.reader
        .listen([audience])
        .then(() => this.reader.atRest(async (after) => after))
        .then((after) => {
          // A listener that left before the subscription was in place was promised nothing.
          if (!this.left.includes(place)) return;
          place.stay = { audience, after, through: Number.POSITIVE_INFINITY };
          this.stays.push(place.stay);
        }),
    );
  }

  private leave(audience: Audience): void {
    const index = this.left.findIndex((place) => place.audience === audience);
    if (index === -1) return;
    const [place] = this.left.splice(index, 1);
    if (place!.stay !== undefined) place!.stay.through = this.reader.position;
    this.reader.leave([audience]);
  }

  private async reconnect(): Promise<void> {
    this.transport.cut();
    this.transport.confirmHanging();
    for (let partition = 0; partition < PARTITIONS; partition += 1)
      await this.transport.subscribe(partition, ['manifest', 'structure']);
    this.transport.reconnected();
  }

  /** Runs until every event is handed over. */
  async end(): Promise<void> {
    this.transport.confirmHanging();
    await Promise.all(this.listening);
    const head = this.story.log.all.length;
    while (this.reader.position < head) await nextTurn();
    await this.reader.stop();
  }
}

it('no event that is listened to is missed, doubled or out of order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 20, maxLength: 200, size: 'max' }),
      fates,
      fc.boolean(),
      fc.boolean(),
      async (steps, fates, slow, isNear) => {
        const play = new Play(fates, slow, isNear);
        await play.reader.start(play.onBatch);
        for (const step of steps) await play.take(step);
        await play.end();
        const { positions } = play.handed;
        expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
        let before = 0;
        for (const { events, through } of play.handed.batches) {
          expect(through).toBeGreaterThan(before);
          for (const { position } of events) {
            expect(position).toBeGreaterThan(before);
            expect(position).toBeLessThanOrEqual(through);
          }
          before = through;
        }
        const got = new Set(positions);
        const missed = play.story.log.all.filter(
          (event) =>
            !got.has(event.position) &&
            (event.type === 'member-joined' ||
              play.stays.some(
                ({ audience, after, through }) =>
                  isFor(audience, event) && event.position > after && event.position <= through,
              )),
        );
        expect(missed).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
});
