/** What the processes of one installation must agree upon, and what they tell each other. */

import { StoreUnavailable } from '../schemas/errors.ts';

// Leadership: something that one process at a time may be.

export interface Leadership {
  /** By this process's own clock: false before anybody else can lead, also in a process that was held still. */
  readonly leading: boolean;
  /** Gives it up, or stops waiting for it. Resolves when `onLost` is through. */
  stop(): Promise<void>;
}

export interface LeadershipOptions {
  readonly name: string;
  /**
   * @param term the fencing number: higher than that of everybody who led before under this name. What is told of two terms
   * belongs to the higher one.
   */
  readonly onGained: (term: number) => Promise<void>;
  /** After `onGained` is through. Somebody else may lead by now. */
  readonly onLost: () => Promise<void>;
}

export interface Leaderships {
  /**
   * Waits for the leadership, holds it for as long as it can, and waits for it again. A holder that is killed, or hangs, is
   * replaced within 5 s. Never fails: while the store cannot be asked nobody new leads.
   */
  seek(options: LeadershipOptions): Leadership;
}

/** Runs `work` while nobody else runs work of the same name. @throws what `work` throws */
export const alone = async (leaderships: Leaderships, name: string, work: () => Promise<void>): Promise<void> => {
  let begun: (working: Promise<void>) => void = () => {};
  const done = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const leadership = leaderships.seek({
    name,
    onGained: async () => {
      const working = work();
      begun(working);
      await working.catch(() => {});
    },
    onLost: async () => {},
  });
  try {
    await done;
  } finally {
    await leadership.stop();
  }
};

// Worker ids of snowflakes, leased: two processes never make ids of one worker at the same time.

export class NoWorkerLeft extends Error {}

export interface WorkerLease {
  /** From 0 on. */
  readonly id: number;
  /** False before the lease ends, when it could not be renewed: from then on no id may be made. */
  valid(): boolean;
  release(): Promise<void>;
}

export interface Workers {
  /**
   * @throws NoWorkerLeft when all are taken
   * @throws StoreUnavailable when it cannot be asked who has which
   */
  lease(): Promise<WorkerLease>;
}

const RETRY_SECONDS = 2;

export interface LeasedWorker {
  /** @throws StoreUnavailable while no lease is held: no id may be made then */
  readonly worker: () => number;
  release(): Promise<void>;
}

/** A process's share of the ids: a leased worker, and another one once the lease is lost. @throws what `lease` throws */
export const leasedWorker = async (workers: Workers): Promise<LeasedWorker> => {
  let lease = await workers.lease();
  let replacing: Promise<void> | undefined;
  const replace = async (): Promise<void> => {
    try {
      const next = await workers.lease();
      await lease.release();
      lease = next;
    } catch {
      // Nobody can be asked still; whoever wants the next id tries again.
    }
    replacing = undefined;
  };
  return {
    worker: () => {
      if (lease.valid()) return lease.id;
      replacing ??= replace();
      throw new StoreUnavailable('worker ids', RETRY_SECONDS);
    },
    async release() {
      await replacing;
      await lease.release();
    },
  };
};

/** Positions by name, kept durably. */
export interface Checkpoints {
  /** 0 for a name never written. */
  read(name: string): Promise<number>;
  /** Never moves back. */
  write(name: string, position: number): Promise<void>;
}

/** Who wrote up to where, told by every node to all others. Never rejects, and never answers less than what was told. */
export interface SharedWrites {
  /** Resolves when the other nodes can know. */
  record(userId: string, position: number): Promise<void>;
  of(userId: string): Promise<number>;
}

// Who is connected where, over all gateways: for presence, and for what is to be pushed to those who are not.

/** As the client describes itself when it identifies; a session that resumed does not say. */
export type Device = 'desktop' | 'mobile' | 'web' | 'other';

/** A person's live sessions on one gateway and kind of device. */
export interface Connected {
  /** One run of one gateway process. */
  readonly gateway: string;
  readonly device: Device;
  readonly sessions: number;
  /** When the first of them began, in milliseconds since 1970. */
  readonly since: number;
}

/** Best effort: never delays a session, and never fails. What a killed gateway told is forgotten within seconds. */
export interface SessionRegistry {
  started(userId: string, device: Device): void;
  ended(userId: string, device: Device): void;
  /** Empty too when it cannot be known now: who may be offline is shown offline. */
  of(userId: string): Promise<readonly Connected[]>;
  /** This gateway is leaving: nobody is connected to it any more. */
  stop(): Promise<void>;
}

// What is limited, counted over all nodes.

/** `count` per `seconds`. */
export interface Rate {
  readonly count: number;
  readonly seconds: number;
}

export interface Counted {
  /** False when the rate is used up; it is not counted then. */
  readonly allowed: boolean;
  /** How often more until the window ends. */
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

export interface Limiter {
  /** Counts one more for `key`. */
  take(key: string): Promise<Counted>;
}

/** Makes what counts for one bucket. @param name tells its keys from those of other buckets */
export type LimiterFactory = (name: string, rate: Rate) => Limiter;
