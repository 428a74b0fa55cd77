/** The audience index in every SQL store. */
import type { Kysely } from 'kysely';
import type { Audience } from '../../schemas/streams.ts';

export interface AudienceTables {
  readonly audiences: {
    readonly audience: Audience;
    readonly position: number;
    readonly stream: string;
    readonly sequence: number;
    readonly type: string;
  };
}

export const audienceQueries = (db: Kysely<AudienceTables>) => ({
  /** One audience’s. */
  between: (audience: Audience, after: number, through: number, limit: number) =>
    db
      .selectFrom('audiences as a')
      .select(['a.audience', 'a.position', 'a.stream', 'a.sequence', 'a.type'])
      .where('a.audience', '=', audience)
      .where('a.position', '>', after)
      .where('a.position', '<=', through)
      .orderBy('a.position')
      .limit(limit),
});
