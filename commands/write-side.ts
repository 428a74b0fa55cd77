/** Assembles the write side from its ports. */

import type { LimiterFactory, SharedWrites } from '../coordination/port.ts';
import { LAST_ID_TIME, lowBitsSource, snowflakeSource, type Worker } from '../domain/snowflake.ts';
import type { EventLog } from '../log/port.ts';
import type { Views } from '../projections/port.ts';
import type { Access } from '../projections/views/guild-views/access.ts';
import type { TimelineReader } from '../projections/views/timelines/view.ts';
import type { Clock } from '../schemas/clock.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import { Quota } from '../schemas/quota.ts';
import type { Bounds, Config, Limits as LimitConfig } from '../schemas/settings.ts';
import type { InformingLogger } from '../telemetry/logger.ts';
import type { Spans } from '../telemetry/spans.ts';
import type { Tokens, Vault } from '../vault/port.ts';
import type { KeyRing } from '../vault/sealing.ts';
import { Accounts } from './accounts.ts';
import { createCommandBus } from './bus.ts';
import type { CommandDeps } from './command.ts';
import { CreationNames } from './creation-names.ts';
import { dueDeletions } from './deletions.ts';
import type { DueWork } from './due-work.ts';
import { commands, followUps } from './features/index.ts';
import { Identity } from './identity.ts';
import { Limits } from './limits.ts';
import { Mailboxes } from './mailbox.ts';
import { OwnWrites } from './own-writes.ts';
import { type Delivered, Pace } from './pace.ts';
import type { CommandBus, Ephemeral } from './port.ts';
import { Processes } from './processes.ts';
import { quietThreads } from './quiet-threads.ts';
import { StateStore } from './states.ts';
import { steadyClock } from './steady-clock.ts';

export interface WriteSideOptions {
  readonly log: EventLog;
  readonly views: Views;
  readonly delivered: Delivered;
  /** Resolves when the views hold what was delivered. Absent where nothing is delivered before. */
  readonly holdDelivered?: () => Promise<unknown> | undefined;
  readonly access: Access;
  readonly timelines: TimelineReader;
  readonly vault: Vault;
  readonly keys: KeyRing;
  readonly tokens: Tokens;
  readonly ephemeral: Ephemeral;
  readonly limits: LimitConfig;
  readonly bounds: Bounds;
  /** Where limits are counted. */
  readonly limiter: LimiterFactory;
  readonly registration: Config['registration'];
  /** How long a deletion of one's own account may be taken back, in seconds. */
  readonly deletionSeconds: number;
  /** This process's share of the ids. */
  readonly worker: Worker;
  /** The progress of the guild views as readers on every node know it. Absent where this process has all readers. */
  readonly shared?: Pick<Views, 'whenProcessed'>;
  /** Where nodes share each user's last write. */
  readonly sharedWrites: SharedWrites;
  /** Called for every append that found its stream further on. */
  readonly onConflict: () => void;
  /** Called with everything that this node has stored, before it is acknowledged. */
  readonly onStored?: (events: readonly ParleyEvent[]) => void;
  readonly logger: InformingLogger;
  readonly clock: Clock;
  /** Absent where nothing is traced. */
  readonly spans?: Spans | undefined;
}

export interface WriteSide {
  readonly bus: CommandBus;
  readonly identity: Identity;
  readonly accounts: Accounts;
  /** What happens by itself at its time. One process at a time does it. */
  readonly dueWork: readonly DueWork[];
  readonly limits: Limits;
  readonly ownWrites: OwnWrites;
  readonly processes: Processes;
  /** What an importer works with: the same mailboxes and ids as every command. */
  readonly deps: CommandDeps;
}

export const createWriteSide = async (options: WriteSideOptions): Promise<WriteSide> => {
  const { log, views, vault, keys, tokens, logger } = options;
  const clock = steadyClock(options.clock, (aheadMs) =>
    logger.error({ aheadMs }, 'the clock has jumped; ids and events follow it once it has stayed there for a minute'),
  );
  const now = clock.wallTime;
  if (now() > LAST_ID_TIME)
    logger.error({ time: now() }, 'the clock is beyond 2084, which no id can hold: nothing can be created');
  const states = new StateStore(log, views.snapshots);
  const mailboxes = new Mailboxes({
    log,
    states,
    keys,
    clock,
    pace: new Pace(options.delivered, clock),
    waiting: options.bounds.waiting,
    onConflict: options.onConflict,
    onStored: options.onStored,
    onFailure: (stream, failure) =>
      logger.error({ err: failure, stream }, 'commands of a stream could not be carried out'),
    spans: options.spans,
  });
  const lowBits = lowBitsSource(options.worker);
  const { timelines } = options;
  const processes = new Processes(log, mailboxes, followUps, {
    ...{ guilds: views.guilds, vault, clock, timelines, now, lowBits },
  });
  const ownWrites = new OwnWrites(views, options.sharedWrites, options.holdDelivered);
  const limits = new Limits(options.limits, options.limiter);
  const ids = snowflakeSource(options.worker);
  const deps: CommandDeps = {
    log,
    views,
    shared: options.shared ?? views.progress('guild-views'),
    access: options.access,
    timelines: options.timelines,
    vault,
    keys,
    tokens,
    mailboxes,
    processes,
    ephemeral: options.ephemeral,
    bounds: options.bounds,
    ids,
    lowBits,
    limits,
    ownWrites,
    names: new CreationNames({ mailboxes, ids, now, secret: await vault.signingSecret() }),
    now,
  };
  const identity = new Identity(deps, limits, options.registration, logger);
  return {
    bus: createCommandBus(commands, deps, {
      limits,
      ownWrites,
      inProgress: new Quota(Number.POSITIVE_INFINITY, options.bounds.commands),
    }),
    identity,
    accounts: new Accounts(deps, identity, { limits, deletionMs: options.deletionSeconds * 1000 }),
    dueWork: [dueDeletions, quietThreads].map((due) => due({ ...deps, clock, logger })),
    limits,
    ownWrites,
    processes,
    deps,
  };
};
