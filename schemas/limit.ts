/** The state of a rate limit, as clients are told it. */
export interface LimitShown {
  readonly bucket: string;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends. */
  readonly resetAfter: number;
  readonly scope: 'user' | 'global' | 'shared';
}
