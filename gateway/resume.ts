/** Resume: continues a session from its client's last `s`, on any process, after any time. */
import type { Membership } from '../projections/views/guild-views/view.ts';
import type { Resume } from '../schemas/gateway/frames.ts';
import type { SessionClaims } from '../vault/port.ts';
import { dispatchFrame, framesOf } from './encoding.ts';
import { Hearing } from './hearing.ts';
import { MissedPages } from './missed.ts';
import type { ResumeOutcome } from './ports.ts';
import {
  type GuildSnapshot,
  guildCreatePayload,
  guildDeleteFrame,
  onShard,
  readGuildSnapshots,
  type Scope,
} from './scope.ts';
import { type Closing, Closings, Phase, type Session } from './session.ts';
import {
  type Beginning,
  begin,
  invalidate,
  PacedWriter,
  type Parts,
  recognise,
  type Verified,
  viewsAtHead,
  wants,
} from './session-start.ts';

/** How a session's guilds differ from those at its `s`. */
interface Changes {
  readonly left: readonly string[];
  /** Left and joined again. */
  readonly rejoined: readonly string[];
  /** Positions of joining, by guild, for the guilds to send in full. */
  readonly joined: ReadonlyMap<string, number>;
}

interface Standing {
  readonly position: number;
  readonly scope: Scope;
  readonly changes: Changes;
  readonly snapshots: readonly GuildSnapshot[];
}

/** Carries out op 6. @returns why the socket must be closed, if it must. */
export const resume = async (parts: Parts, session: Session, asked: Resume): Promise<Closing | undefined> => {
  const { deps } = parts;
  const { seq } = asked;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) return Closings.invalidSequence;
  const verified = await deps.tokens.verify(asked.token);
  if (verified === undefined) return Closings.badToken;
  session.host.identified(session);
  const claims = await goodFor(parts, await deps.tokens.verifySession(asked.session_id), verified, seq);
  if (claims === undefined) {
    refuse(parts, session, 'invalid');
    return undefined;
  }
  const caller = { userId: verified.userId, address: session.peer };
  return parts.resumes.run(caller, () => goOn(parts, session, seq, { verified, claims }));
};

/** Once it is this session's turn. */
const goOn = async (
  parts: Parts,
  session: Session,
  seq: number,
  { verified, claims }: { readonly verified: Verified; readonly claims: SessionClaims },
): Promise<Closing | undefined> => {
  const { deps } = parts;
  if (session.phase === Phase.closed) return undefined;
  if ((await viewsAtHead(parts)) === undefined) return Closings.notReady;
  if (!(await recognise(parts, session, verified))) return Closings.badToken;
  wants(session, claims.intents);
  [session.shardId, session.shardCount] = claims.shard;
  const standing = await begin(parts, session, (at) => readStanding(session, seq, at));
  if (session.phase !== Phase.holding) return undefined;
  const { position, scope, changes } = standing;
  const hearing = new Hearing(session, { after: seq, through: position }, scope, changes.joined);
  const pages = new MissedPages(parts, session, hearing);
  const source = await pages.look(deps.config.resumeLimit);
  if (source === 'too-many') {
    refuse(parts, session, source);
    return undefined;
  }
  await replay(parts, session, seq, standing, pages);
  if (session.phase !== Phase.holding) {
    deps.metrics.resumes('aborted');
    return undefined;
  }
  session.s = Math.max(session.s, parts.delivery.position);
  parts.outbox.pushAlone(session, dispatchFrame('RESUMED', session.s, '{}'));
  parts.outbox.release(session);
  deps.metrics.resumes(source);
  return undefined;
};

/** @returns the claims if their session can continue from `seq`. */
const goodFor = async (
  { deps }: Parts,
  claims: SessionClaims | undefined,
  verified: Verified,
  seq: number,
): Promise<SessionClaims | undefined> => {
  if (claims === undefined) return undefined;
  const same = claims.userId === verified.userId && claims.generation === verified.generation;
  if (!same || claims.epoch !== deps.log.epoch || seq === 0) return undefined;
  return seq <= (await deps.log.head()) ? claims : undefined;
};

const refuse = (parts: Parts, session: Session, outcome: ResumeOutcome): void => {
  if (session.phase !== Phase.closed) parts.deps.metrics.resumes(outcome);
  invalidate(parts, session);
};

const readStanding = async (session: Session, seq: number, { position, scope, deps }: Beginning): Promise<Standing> => {
  const changes = changesSince(seq, session, await deps.views.guilds.memberships(session.userId, seq));
  const joined = scope.guilds.filter(({ guild }) => changes.joined.has(guild.id));
  const snapshots = await readGuildSnapshots(deps, session, joined);
  return { position, scope, changes, snapshots };
};

const changesSince = (seq: number, session: Session, stays: readonly Membership[]): Changes => {
  const left: string[] = [];
  const rejoined: string[] = [];
  const joined = new Map<string, number>();
  for (const guildId of new Set(stays.map((stay) => stay.guildId))) {
    if (!onShard(session, guildId)) continue;
    const ofGuild = stays.filter((stay) => stay.guildId === guildId);
    const wasIn = ofGuild.some((stay) => stay.joinedAt <= seq && (stay.leftAt === null || stay.leftAt > seq));
    const now = ofGuild.find((stay) => stay.leftAt === null);
    if (now === undefined) {
      if (wasIn) left.push(guildId);
    } else if (now.joinedAt > seq) {
      if (wasIn) rejoined.push(guildId);
      joined.set(guildId, now.joinedAt);
    }
  }
  return { left, rejoined, joined };
};

/**
 * Sends the guilds that changed, with the `s` the client came with, and then what it missed, in position order. A page is
 * read when the socket has taken the one before.
 */
const replay = async (
  parts: Parts,
  session: Session,
  seq: number,
  standing: Standing,
  pages: MissedPages,
): Promise<void> => {
  const writer = new PacedWriter(parts, session);
  const { left, rejoined } = standing.changes;
  for (const guildId of [...left, ...rejoined]) {
    await writer.add(guildDeleteFrame(guildId, seq, rejoined.includes(guildId)));
  }
  for (const snapshot of standing.snapshots) {
    await writer.add(await guildCreatePayload(parts.deps, session, snapshot, seq));
  }
  let s = seq;
  let count = 0;
  for (let at = seq; at < standing.position; ) {
    const { missed, through } = await pages.after(at);
    for (const { event, dispatches } of missed) {
      if (session.phase !== Phase.holding) return;
      for (const frame of framesOf(await dispatches(), session, s)) await writer.add(frame);
      s = event.position;
    }
    count += missed.length;
    at = through;
  }
  writer.end();
  parts.deps.metrics.dispatches(count);
};
