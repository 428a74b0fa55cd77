/** Coordination: what the processes of one installation must agree on, and what they share. */

import { StoreUnavailable } from '../schemas/errors.ts';
import type { Soon } from '../schemas/soon.ts';

// Leadership: a role that one process holds at a time.

export interface Leadership {
  /** By this process's own clock: turns false before another process can lead, even after a freeze. */
  readonly leading: boolean;
  /** Gives it up, or stops waiting for it. Resolves when `onLost` has finished. */
  stop(): Promise<void>;
}

export interface LeadershipOptions {
  readonly name: string;
  /**
   * @param term the fencing number, higher than that of any earlier leader of this name. Of work from two terms, the
   * higher term's counts.
   */
  readonly onGained: (term: number) => Promise<void>;
  /** Called after `onGained` has finished. Another process may lead by now. */
  readonly onLost: () => Promise<void>;
}

export interface Leaderships {
  /**
   * Waits for the leadership, holds it as long as it can, and waits for it again. A holder that is killed or hangs is
   * replaced within 5 s. Never fails: while the store cannot answer, no new leader appears.
   */
  seek(options: LeadershipOptions): Leadership;
}

/** Runs `work` while no other process runs work of the same name. @throws what `work` throws */
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
  /** From 0. */
  readonly id: number;
  /** Turns false before an unrenewed lease ends; from then on no id may be made. */
  valid(): boolean;
  release(): Promise<void>;
}

export interface Workers {
  /**
   * @throws NoWorkerLeft when all are taken
   * @throws StoreUnavailable when the store cannot answer
   */
  lease(): Promise<WorkerLease>;
}

const RETRY_SECONDS = 2;

export interface LeasedWorker {
  /** @throws StoreUnavailable while no lease is held: no id may be made then */
  readonly worker: () => number;
  release(): Promise<void>;
}

/** The worker of a process: a leased one, and a new one once the lease is lost. @throws what `lease` throws */
export const leasedWorker = async (workers: Workers): Promise<LeasedWorker> => {
  let lease = await workers.lease();
  let replacing: Promise<void> | undefined;
  const replace = async (): Promise<void> => {
    try {
      const next = await workers.lease();
      await lease.release();
      lease = next;
    } catch {
      // The store still cannot answer; the next id requested tries again.
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

/** How far each person has written, shared by all nodes. Never rejects, and never returns less than was recorded. */
export interface SharedWrites {
  /** Resolves when the other nodes can see it. */
  record(userId: string, position: number): Soon<void>;
  of(userId: string): Promise<number>;
}

// Who is connected where, over all gateways: for presence, and for push to people who are not connected.

/** As the client describes itself in Identify; unknown for a resumed session. */
export type Device = 'desktop' | 'mobile' | 'web' | 'other';

/** A person's live sessions on one gateway and kind of device. */
export interface Connected {
  /** One run of one gateway process. */
  readonly gateway: string;
  readonly device: Device;
  readonly sessions: number;
  /** Start of the first of them, in milliseconds since 1970. */
  readonly since: number;
}

/** Best effort: never delays a session, and never fails. Sessions of a killed gateway are forgotten within seconds. */
export interface SessionRegistry {
  started(userId: string, device: Device): void;
  ended(userId: string, device: Device): void;
  /** Also empty when the store cannot answer: a person who may be offline is shown offline. */
  of(userId: string): Promise<readonly Connected[]>;
  /** This gateway is stopping and has no sessions any more. */
  stop(): Promise<void>;
}

/** A socket has taken a session over. The socket that had it until then, on whichever gateway, is closed. */
export interface Takeover {
  readonly userId: string;
  readonly sessionId: string;
  /** Random; of this socket alone. */
  readonly claim: string;
}

// Rate limits, counted over all nodes.

/** `count` per `seconds`. */
export interface Rate {
  readonly count: number;
  readonly seconds: number;
}

export interface Counted {
  /** False when the rate is used up; the attempt then does not count. */
  readonly allowed: boolean;
  /** Attempts left until the window ends. */
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetMs: number;
}

export interface Limiter {
  /** Counts one attempt for `key`. @param seconds how long a window lasts that begins now; absent: as the rate says */
  take(key: string, seconds?: number): Promise<Counted>;
  /** What is left for `key`, without counting an attempt. `resetMs` is 0 while nothing is counted. */
  look(key: string): Promise<Counted>;
}

/** Makes the limiter of one bucket. @param name separates its keys from those of other buckets */
export type LimiterFactory = (name: string, rate: Rate) => Limiter;
