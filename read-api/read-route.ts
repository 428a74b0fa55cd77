/** The shared part of all queries: they see the asker's own writes, and report a missing thing in one way. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { LogReader } from '../log/port.ts';
import type { Presenter } from '../presenter/presenter.ts';
import type { ApiChannel } from '../presenter/shapes.ts';
import type { Read, Readers } from '../projections/port.ts';
import type { Access } from '../projections/views/guild-views/access.ts';
import type { ChannelRow } from '../projections/views/guild-views/view.ts';
import { integerText, text } from '../schemas/codecs.ts';
import { type ErrorName, type LimitShown, type ParleyError, parleyError } from '../schemas/errors.ts';
import { type Reply, type Route, type RouteRequest, route } from '../schemas/http/route.ts';
import type { AnswerShape } from '../schemas/http/shapes.ts';

/** What the read routes depend on. */
export interface ReadDeps {
  readonly views: Readers;
  readonly log: Pick<LogReader, 'readStream'>;
  readonly presenter: Pick<
    Presenter,
    | 'texts'
    | 'self'
    | 'user'
    | 'fullUser'
    | 'profile'
    | 'users'
    | 'member'
    | 'members'
    | 'bans'
    | 'channel'
    | 'guild'
    | 'messages'
    | 'invite'
    | 'relationships'
    | 'auditEntries'
    | 'namedIn'
    | 'reports'
    | 'ownReports'
  >;
  readonly access: Pick<Access, 'guild' | 'channel' | 'visibleChannels' | 'visibleThreads'>;
  /** The gateway URL for the asker. */
  gatewayUrl(request: Pick<RouteRequest<unknown, unknown, unknown>, 'headers'>): string;
  /** How many sessions a library is told it may begin in five seconds. */
  readonly maxConcurrency: number;
  /** How many sessions a user may still begin; `undefined` where that is not limited. */
  identifiesLeft(userId: string): Promise<LimitShown | undefined>;
  /** True once these views hold every acknowledged write of this user; false when that took too long. */
  ownWrites(userId: string, reads: readonly Read[]): Promise<boolean>;
  /** The position through which all of these views hold every event. */
  heldThrough(reads: readonly Read[]): number;
  /** Milliseconds since 1970. */
  now(): number;
}

export type Answer = Either<ParleyError, Reply>;

export const found = (body: unknown): Answer => either.right({ body });
export const refused = (name: ErrorName): Answer => either.left(parleyError(name));

/** The channels as the asker sees them: two questions to the views, however many there are. */
export const presentChannels = async (
  { views, presenter }: Pick<ReadDeps, 'views' | 'presenter'>,
  channels: readonly ChannelRow[],
  asker: string,
): Promise<readonly ApiChannel[]> => {
  const ids = channels.map(({ id }) => id);
  const [heads, lastPinned] = await Promise.all([views.unread.heads(ids), views.pins.lastPinned(ids)]);
  return Promise.all(channels.map((row) => presenter.channel(row, asker, heads.get(row.id), lastPinned.get(row.id))));
};

const GUILDS: readonly Read[] = ['guild-views'];

/** The position that an answer is not older than, apart from rights and the asker's own writes, which are current. */
const POSITION = 'x-parley-position';

/** A GET route whose handler runs once the views hold the asker's writes. */
export const readRoute = <P, Q>(
  deps: Pick<ReadDeps, 'ownWrites' | 'heldThrough'>,
  definition: Omit<Route<P, Q, undefined>, 'method' | 'access' | 'before' | 'handle'> & {
    /** The views it reads; defaults to the guild views alone. */
    readonly reads?: readonly Read[];
    readonly answer: AnswerShape;
    readonly handle: (request: RouteRequest<P, Q, undefined>) => Promise<Answer>;
  },
): Route => {
  const { reads = GUILDS } = definition;
  return route<P, Q, undefined>({
    ...definition,
    method: 'GET',
    access: 'user',
    before: async ({ actor }) =>
      (await deps.ownWrites(actor.userId, reads)) ? undefined : parleyError('unavailable', { retryAfter: 1 }),
    handle: async (request) => {
      const position = { [POSITION]: String(deps.heldThrough(reads)) };
      const answer = await definition.handle(request);
      if (either.isLeft(answer)) return answer;
      return either.right({ ...answer.right, headers: { ...answer.right.headers, ...position } });
    },
  });
};

const YES = /^(true|1)$/i;

/** Libraries write a yes in several ways. */
export const saysYes = (given: string): boolean => YES.test(given);

/** Members are counted always. */
export const WithCounts = t.partial({ with_counts: text(0, 16) });

/** Whom others see online is not known yet. */
export const countsOf = ({ with_counts = '' }: t.TypeOf<typeof WithCounts>): object =>
  saysYes(with_counts) ? { approximate_presence_count: 0 } : {};

/** The `limit=` of a list. */
export const limitOf = (max: number) => integerText(1, max);
