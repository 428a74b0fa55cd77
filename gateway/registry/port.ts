/** Who is connected where, over all gateways: for presence, and for what is to be pushed to those who are not. */

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
