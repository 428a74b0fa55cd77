/**
 * What must follow in other streams. A process reads the log and gives commands whose keys come from the event that
 * caused them, so that it can be repeated from any checkpoint without harm.
 */

import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import { either } from 'fp-ts';
import type { Checkpoints } from '../coordination/port.ts';
import { type ChannelState, createChannel } from '../domain/channel.ts';
import type { Decision } from '../domain/decider.ts';
import { join, type MemberState } from '../domain/member.ts';
import type { LogReader } from '../log/port.ts';
import { systemClock, within } from '../schemas/clock.ts';
import {
  type EventOf,
  FOLLOWED_UP,
  type FollowedUpType,
  isFollowedUp,
  type ParleyEvent,
} from '../schemas/events/catalogue.ts';
import { channelStream, memberStream } from '../schemas/streams.ts';
import type { Mailboxes } from './mailbox.ts';

/** One step that follows an event. */
export interface Step {
  readonly stream: string;
  readonly decide: (key: string) => (state: never) => Decision;
}

/** What follows events, by their types: the steps in their order, of which the last reveals the result. */
export type FollowUps = { readonly [K in FollowedUpType]: (event: EventOf<K>) => readonly Step[] };

type Causing = EventOf<FollowedUpType>;

export const joiningStep = (guildId: string, userId: string, invite: string | null): Step => ({
  stream: memberStream(guildId, userId),
  decide: (key) => (state: MemberState) => join({ guildId, userId, invite, key }, state),
});

export const channelStep = (data: Parameters<typeof createChannel>[0]['channel']): Step => ({
  stream: channelStream(data.channelId),
  decide: (key) => (state: ChannelState) => createChannel({ channel: data, key }, state),
});

/** Between tries of a step that the log refused. Tries go on until the process ends: a step must not be lost. */
const backoff = new ExponentialBackoff({ initialDelay: 50, maxDelay: 5000 });
const PAGE = 1000;
/** Of all streams, that of an invite with the highest cap (100) has most. */
const CAUSES_OF_A_STREAM = 128;

export class Processes {
  private readonly log: LogReader;
  private readonly mailboxes: Mailboxes;
  private readonly followUps: FollowUps;
  /** Positions of causes whose steps are not done yet, each with what its last step will come to. */
  private readonly running = new Map<number, Promise<number>>();
  /** Batches of the views were looked through so far. */
  private seen = 0;
  /** What a former run left undone has been begun so far; until then nobody may forget that run's checkpoint. */
  private caughtUp = Number.POSITIVE_INFINITY;

  constructor(log: LogReader, mailboxes: Mailboxes, followUps: FollowUps) {
    this.log = log;
    this.mailboxes = mailboxes;
    this.followUps = followUps;
  }

  /** Carries out what a former run of the server left undone beyond its checkpoint, up to the log's head. */
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

  /** A batch the views hold. The steps run on their own: they need the views to go on. */
  async onBatch(events: readonly ParleyEvent[], through: number): Promise<void> {
    for (const event of events) if (isFollowedUp(event) && event.position > this.seen) void this.follow(event);
    this.seen = Math.max(this.seen, through);
  }

  /** Position through which everything that had to follow has followed. */
  through(): number {
    let through = Math.min(this.seen, this.caughtUp);
    for (const position of this.running.keys()) through = Math.min(through, position - 1);
    return through;
  }

  /**
   * Starts at once what must follow a command.
   * @param command.position of the event that its writer has just appended; where it appended none because it was carried
   *   out before, the event that carried its key counts, or else the stream's last
   * @returns position of the last event that followed; `undefined` after `timeoutMs`.
   */
  async whenFollowedUp(
    command: { readonly position: number; readonly stream: string; readonly key: string },
    timeoutMs: number,
  ): Promise<number | undefined> {
    const { position, stream, key } = command;
    const last = await this.log.readStream({ stream, direction: 'backwards', limit: CAUSES_OF_A_STREAM });
    const causes = last.filter(isFollowedUp);
    const cause =
      causes.find((event) => event.position === position) ?? causes.find((event) => event.key === key) ?? causes[0];
    if (cause === undefined) return position;
    return within(systemClock, timeoutMs, this.follow(cause));
  }

  private stepsAfter(event: Causing): readonly Step[] {
    const steps = this.followUps[event.type] as (event: Causing) => readonly Step[];
    return steps(event);
  }

  private follow(event: Causing): Promise<number> {
    const known = this.running.get(event.position);
    if (known !== undefined) return known;
    const following = this.carryOut(event).finally(() => this.running.delete(event.position));
    this.running.set(event.position, following);
    return following;
  }

  private async carryOut(event: Causing): Promise<number> {
    let last = event.position;
    for (const step of this.stepsAfter(event)) last = Math.max(last, await this.carryOutStep(event, step));
    return last;
  }

  private carryOutStep(event: Causing, step: Step): Promise<number> {
    const key = `process:${event.id}`;
    const cause = {
      actor: event.actor,
      key,
      correlationId: event.correlationId,
      causationId: event.id,
      traceparent: event.traceparent,
    };
    return retry(handleAll, { backoff, maxAttempts: Number.MAX_SAFE_INTEGER }).execute(async () => {
      const outcome = await this.mailboxes.run({
        stream: step.stream,
        cause,
        prepare: async () => either.right(undefined),
        decide: step.decide(key),
      });
      if (either.isLeft(outcome)) throw new Error(outcome.left.message);
      return outcome.right.position;
    });
  }
}

// In a cluster the node that takes a command starts at once what must follow it. This finishes what a node left undone
// when it died: one process at a time looks through the log, a moment behind, so that it does not race with the living.

/** Age at which a cause counts as left undone. Answers wait for their processes longer, so a client's retry finds it done. */
const LEFT_MS = 2000;
const LOOK_MS = 500;
const NAME = 'processes';

interface LeftoversOptions {
  readonly log: LogReader;
  readonly processes: Pick<Processes, 'finish'>;
  readonly checkpoints: Checkpoints;
  readonly logger: { warn(fields: object, message: string): void };
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class Leftovers {
  private readonly options: LeftoversOptions;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(options: LeftoversOptions) {
    this.options = options;
  }

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { checkpoints, logger } = this.options;
    const { signal } = this.stopping;
    let through: number | undefined;
    while (!signal.aborted) {
      try {
        through ??= await checkpoints.read(NAME);
        const next = await this.look(through);
        if (next > through) await checkpoints.write(NAME, next);
        through = next;
      } catch (error) {
        // Log or vault are gone: what is left undone stays so until they are back.
        if (!signal.aborted) logger.warn({ err: error }, 'what must follow could not be looked through');
      }
      await systemClock.delay(LOOK_MS, signal);
    }
  }

  /** @returns position through which everything has followed. */
  private async look(after: number): Promise<number> {
    const { log, processes, now } = this.options;
    const { events, through } = await log.readAll({ after, types: FOLLOWED_UP, limit: PAGE });
    const left = now() - LEFT_MS;
    const young = events.findIndex((event) => event.time > left);
    await processes.finish(young < 0 ? events : events.slice(0, young));
    return young < 0 ? through : events[young]!.position - 1;
  }
}
