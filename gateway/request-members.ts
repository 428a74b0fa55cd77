/** Op 8: the members of a guild, in chunks that the socket takes one after the other. */

import { membersNamed } from '../presenter/member-search.ts';
import { type GuildReader, type MemberRow, memberPages } from '../projections/views/guild-views/view.ts';
import { StoreUnavailable } from '../schemas/errors.ts';
import { FairQueue } from '../schemas/fair-queue.ts';
import { Intent, Op, type RequestGuildMembers } from '../schemas/gateway/frames.ts';
import { inParallel } from '../schemas/parallel.ts';
import { dispatchFrame } from './encoding.ts';
import { depsAt } from './scope.ts';
import { Closings, Phase, type Session } from './session.ts';
import type { Parts } from './session-start.ts';

/** Most members of one chunk. */
const CHUNK = 1000;
/** Most members whose names begin as asked. */
const MATCHES = 100;
/** Members asked for by id that are read at the same time. */
const TOGETHER = 8;
/** Longest nonce that is repeated, in bytes. */
const NONCE_BYTES = 32;
const TICK_MS = 20;

interface Asked {
  readonly guildId: string;
  readonly userIds: readonly string[] | undefined;
  readonly query: string;
  /** 0: everybody. */
  readonly limit: number;
  readonly presences: boolean;
  readonly nonce: string | number | undefined;
}

/** @returns one for each guild */
const askedBy = (d: RequestGuildMembers): readonly Asked[] => {
  const fits =
    typeof d.nonce === 'number' || (typeof d.nonce === 'string' && Buffer.byteLength(d.nonce) <= NONCE_BYTES);
  const inAny = {
    userIds: d.user_ids == null ? undefined : [...new Set([d.user_ids].flat())],
    query: d.query ?? '',
    limit: d.limit ?? 0,
    presences: d.presences === true,
    nonce: fits ? (d.nonce as string | number) : undefined,
  };
  return [...new Set([d.guild_id].flat())].map((guildId) => ({ guildId, ...inAny }));
};

/** What a chunk holds besides its place among the others. */
interface Part {
  readonly rows: readonly MemberRow[];
  readonly notFound?: readonly string[];
}

export class MemberRequests {
  private readonly parts: Parts;
  private readonly queue: FairQueue;

  constructor(parts: Parts) {
    this.parts = parts;
    this.queue = new FairQueue(parts.deps.config.memberRequests);
  }

  /** @returns why the socket must be closed, if it must */
  receive(session: Session, d: RequestGuildMembers | undefined): typeof Closings.wrongPayload | undefined {
    if (d === undefined) return Closings.wrongPayload;
    for (const asked of askedBy(d))
      this.answer(session, asked).catch((error: unknown) => {
        this.parts.deps.logger.error({ err: error, guildId: asked.guildId }, 'members could not be sent');
        session.drop(Closings.notDelivered);
      });
    return undefined;
  }

  private async answer(session: Session, asked: Asked): Promise<void> {
    const counted =
      asked.userIds === undefined ? await this.parts.deps.listsMembers(session.userId, asked.guildId) : undefined;
    if (counted?.allowed === false) return this.limited(session, asked, counted.resetAfter);
    try {
      const isGone = () => session.phase === Phase.closed;
      await this.queue.run({ ...session.caller, isGone }, () => this.send(session, asked));
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await this.limited(session, asked, error.retryAfter);
    }
  }

  private async send(session: Session, asked: Asked): Promise<void> {
    const { deps, delivery } = this.parts;
    const at = delivery.position;
    const { guilds } = depsAt(deps, at).views;
    const [guild, own] = await Promise.all([guilds.guild(asked.guildId), guilds.member(asked.guildId, session.userId)]);
    // Who asks for a guild of others learns nothing, and does not wait for an answer either.
    if (guild === undefined || own === undefined)
      await this.only(session, asked, { rows: [], ...(asked.userIds && { notFound: asked.userIds }) });
    else if (asked.userIds !== undefined)
      await this.only(session, asked, await byId(guilds, asked.guildId, asked.userIds));
    else if (asked.query !== '') {
      const { guildId, query, limit } = asked;
      const most = limit === 0 ? MATCHES : Math.min(limit, MATCHES);
      const rows = await membersNamed({ guilds, presenter: deps.presenter }, guildId, { query, limit: most });
      await this.only(session, asked, { rows });
    } else if ((session.intents & Intent.guildMembers) === 0) await this.only(session, asked, { rows: [] });
    else {
      const total = asked.limit === 0 ? guild.memberCount : Math.min(asked.limit, guild.memberCount);
      await this.everybody(session, asked, total, chunksOf(guilds, asked.guildId, at));
    }
  }

  private async only(session: Session, asked: Asked, part: Part): Promise<void> {
    await this.chunk(session, asked, part, 0, 1);
  }

  /** @param total members at the begin, or as many as are asked for */
  private async everybody(
    session: Session,
    asked: Asked,
    total: number,
    chunks: AsyncGenerator<readonly MemberRow[]>,
  ): Promise<void> {
    const count = Math.max(1, Math.ceil(total / CHUNK));
    for (let index = 0; index < count; index += 1) {
      const { value } = await chunks.next();
      // Some may have left: the client waits for the number of chunks that it was told.
      const rows = ((value as readonly MemberRow[] | undefined) ?? []).slice(0, total - index * CHUNK);
      if (!(await this.chunk(session, asked, { rows }, index, count))) return;
    }
  }

  /** @returns whether the session still wants more */
  private async chunk(
    session: Session,
    { guildId, presences, nonce }: Asked,
    { rows, notFound }: Part,
    index: number,
    count: number,
  ): Promise<boolean> {
    const d = {
      guild_id: guildId,
      members: await this.parts.deps.presenter.members(rows),
      chunk_index: index,
      chunk_count: count,
      ...(notFound === undefined || notFound.length === 0 ? {} : { not_found: notFound }),
      ...(presences ? { presences: [] } : {}),
      ...(nonce === undefined ? {} : { nonce }),
    };
    return this.tell(session, 'GUILD_MEMBERS_CHUNK', d);
  }

  private async limited(session: Session, { guildId, nonce }: Asked, retryAfter: number): Promise<void> {
    const meta = { guild_id: guildId, ...(nonce === undefined ? {} : { nonce }) };
    await this.tell(session, 'RATE_LIMITED', { opcode: Op.requestGuildMembers, retry_after: retryAfter, meta });
  }

  /** Resolves when the socket has room for more. @returns false once it is closed */
  private async tell(session: Session, t: string, d: object): Promise<boolean> {
    const { outbox, deps } = this.parts;
    // While a session starts or catches up, nothing may carry an `s` of its own.
    while (session.phase !== Phase.live) {
      if (session.phase === Phase.closed) return false;
      await deps.clock.delay(TICK_MS);
    }
    outbox.pushAlone(session, dispatchFrame(t, session.s, JSON.stringify(d)));
    outbox.flushNow(session);
    deps.metrics.dispatches(1);
    await outbox.room(session);
    return session.outlet.writable;
  }
}

const byId = async (guilds: GuildReader, guildId: string, ids: readonly string[]): Promise<Part> => {
  const rows = await inParallel(ids, TOGETHER, async (id) => guilds.member(guildId, id));
  return {
    rows: rows.filter((row) => row !== undefined),
    notFound: ids.filter((_, n) => rows[n] === undefined),
  };
};

/** @param at who joined after this position is left out: GUILD_MEMBER_ADD tells of them */
async function* chunksOf(guilds: GuildReader, guildId: string, at: number): AsyncGenerator<readonly MemberRow[]> {
  let waiting: MemberRow[] = [];
  for await (const page of memberPages(guilds, guildId)) {
    waiting.push(...page.filter((row) => row.joinedAt <= at));
    while (waiting.length >= CHUNK) {
      yield waiting.slice(0, CHUNK);
      waiting = waiting.slice(CHUNK);
    }
  }
  if (waiting.length > 0) yield waiting;
}
