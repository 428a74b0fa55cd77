/** Which events concern a guild or a user. A channel's own stream is its index, so channels have no rows here. */
import type { Audience } from '../../schemas/streams.ts';

export interface AudienceEntry {
  readonly audience: Audience;
  readonly position: number;
  readonly stream: string;
  readonly sequence: number;
  readonly type: string;
}

export interface AudienceReader {
  /** Entries of these guild and user audiences with `after < position <= through`, in position order, at most `limit`. */
  between(
    audiences: readonly Audience[],
    after: number,
    through: number,
    limit: number,
  ): Promise<readonly AudienceEntry[]>;
}

export interface AudienceWriter {
  apply(entries: readonly AudienceEntry[]): void | Promise<void>;
}
