/** A server as the command line runs it, whichever the profile. */

export interface Server {
  /** `http://<host>:<port>` */
  readonly url: string;
  readonly firstStart: boolean;
  /** Sends clients away over the configured window, hands over what it does for others, then closes everything. */
  stop(): Promise<void>;
}
