/** Who is banned from a guild. The member's stream decides what a ban forbids; this lists them. */

import type { Sealed } from '../../../schemas/envelope.ts';
import { type ByType, handlerOf, type ParleyEvent, type TypesChanging } from '../../../schemas/events/catalogue.ts';

export interface BanRow {
  readonly userId: string;
  /** Opens to a string as JSON; null where none was given. */
  readonly reason: Sealed | null;
  /** Id of the event in the member's stream in which it was sealed. */
  readonly sealedIn: string;
}

/** A page in order of user id: beyond `after`, or the last ones before `before`. */
export interface BansQuery {
  readonly limit: number;
  readonly after?: string;
  readonly before?: string;
}

export interface BanReader {
  bans(guildId: string, query: BansQuery): Promise<readonly BanRow[]>;
  ban(guildId: string, userId: string): Promise<BanRow | undefined>;
}

/** Positions are those of the events. A row is kept after its end, so that two generations can be compared. */
export type BanChange =
  | ({ readonly kind: 'banned'; readonly guildId: string; readonly position: number } & BanRow)
  | { readonly kind: 'unbanned'; readonly guildId: string; readonly userId: string; readonly position: number };

const changeOf: ByType<TypesChanging<'bans'>, [], BanChange> = {
  'member-banned': ({ id: sealedIn, position, data: { guildId, userId, reason } }) => ({
    ...{ kind: 'banned', guildId, userId, reason: reason?.sealed ?? null, sealedIn, position },
  }),
  'member-unbanned': ({ position, data: { guildId, userId } }) => ({ kind: 'unbanned', guildId, userId, position }),
};

export const banChanges = (events: readonly ParleyEvent[]): readonly BanChange[] =>
  events.flatMap((event) => handlerOf(changeOf, event)?.(event) ?? []);
