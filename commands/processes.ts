/**
 * Follow-ups in other streams. A process reads the log and submits commands whose keys derive from the causing event,
 * so it can be repeated from any checkpoint without harm.
 */

import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import { either } from 'fp-ts';
import type { Checkpoints } from '../coordination/port.ts';
import { type ChannelState, createChannel, type MessageState } from '../domain/channel.ts';
import { placeChannel } from '../domain/channel-places.ts';
import { type Decision, nothing } from '../domain/decider.ts';
import { join, type MemberState } from '../domain/member.ts';
import { withoutContent } from '../domain/recent-keys.ts';
import type { LogReader } from '../log/port.ts';
import type { GuildReader } from '../projections/views/guild-views/view.ts';
import type { TimelineReader } from '../projections/views/timelines/view.ts';
import { type Clock, within } from '../schemas/clock.ts';
import { StoreUnavailable } from '../schemas/errors.ts';
import {
  type EventOf,
  FOLLOWED_UP,
  type FollowedUpType,
  isFollowedUp,
  type ParleyEvent,
} from '../schemas/events/catalogue.ts';
import { channelIdOf, channelStream, memberStream } from '../schemas/streams.ts';
import type { Vault } from '../vault/port.ts';
import type { Mailboxes } from './mailbox.ts';
import { type About, currentFacts, storedFacts } from './states.ts';
import type { Since } from './turn.ts';

/** One step that follows an event. */
export type Step =
  | StreamStep
  /** In the vault. */
  | { readonly erases: string };

interface StreamStep {
  readonly stream: string;
  /** The message of that stream that it is about. */
  readonly about?: About;
  readonly decide: (key: string, at: StepFacts) => (state: never) => Decision | Promise<Decision>;
}

/** What a step is decided by beyond its stream's state. */
export interface StepFacts {
  readonly message: MessageState | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Low bits of a message's id. */
  readonly low: bigint;
  readonly since: Since;
}

/** What steps are taken in, and what they may be found in where the event alone does not say them. */
export interface Sources {
  readonly guilds: Pick<GuildReader, 'user' | 'guild' | 'channelsOf' | 'directChannelsOf'>;
  readonly vault: Pick<Vault, 'erase'>;
  readonly clock: Clock;
  readonly timelines: TimelineReader;
  readonly now: () => number;
  readonly lowBits: () => bigint;
}

/** What follows each type of event: the steps in order. The last step reveals the result. */
export type FollowUps = {
  readonly [K in FollowedUpType]: (event: EventOf<K>, sources: Sources) => readonly Step[] | AsyncIterable<Step>;
};

type Causing = EventOf<FollowedUpType>;

/** Under which the steps that follow an event are taken. */
export const stepKey = ({ id }: Pick<ParleyEvent, 'id'>): string => `process:${id}`;

export const joiningStep = (joining: Omit<Parameters<typeof join>[0], 'key'>): Step => ({
  stream: memberStream(joining.guildId, joining.userId),
  // Whoever was banned meanwhile stays out, and the steps are done.
  decide: (key) => (state: MemberState) => (state.banned ? nothing : join({ ...joining, key }, state)),
});

/** A channel gets its place, or leaves its category. */
export const placeStep = (command: Omit<Parameters<typeof placeChannel>[0], 'key'>): Step => ({
  stream: channelStream(command.channelId),
  decide: (key) => (state: ChannelState) => placeChannel({ ...command, key }, state),
});

export const channelStep = (data: Parameters<typeof createChannel>[0]['channel']): Step => ({
  stream: channelStream(data.channelId),
  decide: (key) => (state: ChannelState) => createChannel({ channel: data, key }, state),
});

/** Delay between tries of a step that the log refused. Tries go on until the process ends: a step must not be lost. */
const backoff = new ExponentialBackoff({ initialDelay: 50, maxDelay: 5000 });
const FOR_EVER = { backoff, maxAttempts: Number.MAX_SAFE_INTEGER };
const PAGE = 1000;
/** Enough for any stream: the most causes are in that of an invite with the highest cap (100). */
const CAUSES_OF_A_STREAM = 128;

export class Processes {
  private readonly log: LogReader;
  private readonly mailboxes: Mailboxes;
  private readonly followUps: FollowUps;
  private readonly clock: Clock;
  private readonly sources: Sources;
  /** Positions of causes whose steps are not done yet, each with a promise of its last step's position. */
  private readonly running = new Map<number, Promise<number>>();
  /** Position through which batches of the views have been looked through. */
  private seen = 0;
  /**
   * Position through which a former run's leftovers have begun. Until they are done, that run's checkpoint must be
   * kept.
   */
  private caughtUp = Number.POSITIVE_INFINITY;

  constructor(log: LogReader, mailboxes: Mailboxes, followUps: FollowUps, sources: Sources) {
    this.log = log;
    this.mailboxes = mailboxes;
    this.followUps = followUps;
    this.sources = sources;
    this.clock = sources.clock;
  }

  /** Carries out what a former run of the server left undone after its checkpoint, up to the log's head. */
  async catchUp(after: number): Promise<void> {
    this.seen = after;
    this.caughtUp = after;
    const head = await this.log.head();
    while (this.caughtUp < head) {
      const page = await this.log.readAll({ after: this.caughtUp, types: FOLLOWED_UP, limit: PAGE });
      await this.finish(page.events);
      this.caughtUp = Math.max(page.through, this.caughtUp + 1);
    }
    this.seen = Math.max(this.seen, head);
    this.caughtUp = Number.POSITIVE_INFINITY;
  }

  /** Resolves when everything that must follow these events has followed. */
  async finish(events: readonly ParleyEvent[]): Promise<void> {
    await Promise.all(events.filter(isFollowedUp).map((event) => this.follow(event)));
  }

  /** Takes a batch that the views hold. The steps are not awaited, since they need the views to go on. */
  async onBatch(events: readonly ParleyEvent[], through: number): Promise<void> {
    for (const event of events) if (isFollowedUp(event) && event.position > this.seen) void this.follow(event);
    this.seen = Math.max(this.seen, through);
  }

  /** Position through which all follow-ups are done. */
  through(): number {
    let through = Math.min(this.seen, this.caughtUp);
    for (const position of this.running.keys()) through = Math.min(through, position - 1);
    return through;
  }

  /**
   * Starts a command's follow-ups at once.
   * @param command.position of the event that its writer has just appended. If it appended none because it repeats an
   *   earlier command, the event with its key counts, or else the stream's last one
   * @returns position of the last follow-up; `undefined` after `timeoutMs`.
   */
  async whenFollowedUp(
    command: { readonly position: number; readonly stream: string; readonly key: string },
    timeoutMs: number,
  ): Promise<number | undefined> {
    const { position, stream, key } = command;
    const last = await this.log.readStream({ stream, direction: 'backwards', limit: CAUSES_OF_A_STREAM });
    const causes = last.filter(isFollowedUp);
    const cause =
      causes.find((event) => event.position === position) ??
      causes.find((event) => event.key !== null && withoutContent(event.key) === key) ??
      causes[0];
    if (cause === undefined) return position;
    return within(this.clock, timeoutMs, this.follow(cause));
  }

  private stepsAfter(event: Causing): readonly Step[] | AsyncIterable<Step> {
    const steps = this.followUps[event.type] as (
      event: Causing,
      sources: Sources,
    ) => readonly Step[] | AsyncIterable<Step>;
    return steps(event, this.sources);
  }

  private follow(event: Causing): Promise<number> {
    const known = this.running.get(event.position);
    if (known !== undefined) return known;
    const following = this.takeSteps(event).finally(() => this.running.delete(event.position));
    this.running.set(event.position, following);
    return following;
  }

  private takeSteps(event: Causing): Promise<number> {
    // What the steps are found in may be away for a while.
    return retry(handleAll, FOR_EVER).execute(async () => {
      let last = event.position;
      for await (const step of this.stepsAfter(event)) last = Math.max(last, await this.takeStep(event, step));
      return last;
    });
  }

  private async storedFor({ stream, about }: StreamStep) {
    const channelId = channelIdOf(stream);
    return about === undefined || channelId === undefined
      ? undefined
      : storedFacts(this.sources.timelines, channelId, about);
  }

  private takeStep(event: Causing, step: Step): Promise<number> {
    const key = stepKey(event);
    const cause = {
      actor: event.actor,
      key,
      correlationId: event.correlationId,
      causationId: event.id,
      traceparent: event.traceparent,
    };
    const { now, lowBits } = this.sources;
    return retry(handleAll, FOR_EVER).execute(async () => {
      if ('erases' in step) {
        await this.sources.vault.erase(step.erases);
        return event.position;
      }
      const outcome = await this.mailboxes.run({
        stream: step.stream,
        cause,
        prepare: async () => either.right(await this.storedFor(step)),
        decide: async (state: never, stored, since) => {
          const message = stored && step.about && (await currentFacts(stored, step.about, since));
          return step.decide(key, { message, now: now(), low: lowBits(), since })(state);
        },
      });
      if (either.isLeft(outcome)) {
        // Somebody whose key is destroyed says nothing more, and the step is done.
        if (outcome.left.name === 'unauthorized') return event.position;
        throw new Error(outcome.left.message);
      }
      // In a cluster nobody else begins at once what follows from a step.
      void this.finish(outcome.right.events);
      return outcome.right.position;
    });
  }
}

// In a cluster the node that takes a command starts its follow-ups at once. This finishes what a dead node left undone:
// one process at a time scans the log a moment behind the head, so that it does not race with living nodes.

/** Age at which a cause counts as left undone. Answers wait longer for their processes, so a retry finds it done. */
export const LEFT_MS = 2000;
export const LOOK_MS = 500;
const NAME = 'processes';

interface LeftoversOptions {
  readonly log: LogReader;
  readonly processes: Pick<Processes, 'finish'>;
  readonly checkpoints: Checkpoints;
  readonly logger: { warn(fields: object, message: string): void };
  readonly clock: Clock;
}

export class Leftovers {
  private readonly options: LeftoversOptions;
  private readonly stopping = new AbortController();
  private readonly heads: { readonly at: number; readonly position: number }[] = [];
  private running: Promise<void> | undefined;

  constructor(options: LeftoversOptions) {
    this.options = options;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Steps under way go on: whoever leads next repeats them without harm. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { checkpoints, logger, clock } = this.options;
    const { signal } = this.stopping;
    const aborted = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    let through: number | undefined;
    while (!signal.aborted) {
      try {
        through ??= await checkpoints.read(NAME);
        const next = await Promise.race([this.look(through), aborted]);
        if (next === undefined) return;
        if (next > through) await checkpoints.write(NAME, next);
        through = next;
      } catch (error) {
        // Leftovers stay until the log and the vault are back, whose outages are reported elsewhere.
        if (!signal.aborted && !(error instanceof StoreUnavailable))
          logger.warn({ err: error }, 'what must follow could not be looked through');
      }
      await clock.delay(LOOK_MS, signal);
    }
  }

  /** @returns position through which all follow-ups are done. */
  private async look(after: number): Promise<number> {
    const { log, processes } = this.options;
    const left = await this.headBefore(LEFT_MS);
    if (left <= after) return after;
    const { events, through } = await log.readAll({ after, types: FOLLOWED_UP, limit: PAGE });
    await processes.finish(events.filter(({ position }) => position <= left));
    return Math.min(through, left);
  }

  /**
   * The head of the log as it was so many milliseconds ago, by this process's own clock: the times of events are those
   * of other nodes' clocks. 0 if that is not known yet.
   */
  private async headBefore(ms: number): Promise<number> {
    const at = this.options.clock.monotonic();
    this.heads.push({ at, position: await this.options.log.head() });
    const known = this.heads.findLastIndex((head) => head.at <= at - ms);
    this.heads.splice(0, known);
    return known < 0 ? 0 : this.heads[0]!.position;
  }
}
