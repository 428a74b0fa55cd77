/** What a session missed is sent to it: when it resumes, and in a cluster when it is to hear more from now on. */
import type { ChannelRow, Membership } from '../projections/views/guild-views/view.ts';
import { type AccessSince, accessSince } from './access-changes.ts';
import { dispatchFrame, framesOf } from './encoding.ts';
import { MissedPages } from './missed.ts';
import { Hearing } from './missed-audiences.ts';
import type { ResumeOutcome } from './ports.ts';
import {
  type GuildSnapshot,
  gainedChannelPayloads,
  guildCreatePayload,
  guildDeleteFrame,
  lostChannelPayloads,
  onShard,
  readGuildSnapshots,
  type Scope,
  type VisibleGuild,
  viewerIn,
} from './scope.ts';
import { Closings, Phase, type Session } from './session.ts';
import { type Beginning, begin, PacedWriter, type Parts } from './session-start.ts';

/** How a session's guilds differ from those at its `s`. */
interface Changes {
  readonly left: readonly string[];
  /** Left and joined again. */
  readonly rejoined: readonly string[];
  /** Positions of joining, by guild, for the guilds to send in full. */
  readonly joined: ReadonlyMap<string, number>;
}

/** Positions from which on channels are seen, by channel, of those that were not seen all the time. */
const seenFromIn = (access: readonly AccessSince[]): ReadonlyMap<string, number> =>
  new Map(access.flatMap(({ seenFrom }) => [...seenFrom]));

interface Changed {
  readonly position: number;
  readonly scope: Scope;
  readonly changes: Changes;
  /** `undefined`: too much has changed. */
  readonly access: readonly AccessSince[] | undefined;
  readonly snapshots: readonly GuildSnapshot[];
  /** By guild, threads that were active at some time since its `s` and no longer are. */
  readonly endedThreads: ReadonlyMap<string, readonly ChannelRow[]>;
}

/** Sends what a session missed after `seq`. Its live dispatches are held back behind that. */
export const sendMissed = async (parts: Parts, session: Session, seq: number): Promise<ResumeOutcome> => {
  const changed = await begin(parts, session, (at) => readChanged(session, seq, at));
  if (session.phase !== Phase.holding) return 'aborted';
  const { position, scope, changes, access, endedThreads } = changed;
  if (access === undefined) return 'too-many';
  const since = { joinedSince: changes.joined, seenFrom: seenFromIn(access), endedThreads };
  const now = parts.deps.clock.wallTime();
  const hearing = new Hearing(session, { after: seq, through: position }, scope, now, since);
  const pages = new MissedPages(parts, session, hearing);
  const source = await pages.look(parts.deps.config.resumeLimit);
  if (source === 'too-many' || source === 'unreadable') return source;
  await replay(parts, session, seq, { ...changed, access }, pages);
  return session.phase === Phase.holding ? source : 'aborted';
};

/** The session gets its live dispatches, once it has caught up if it fell behind while it started. */
export const goLive = (parts: Parts, session: Session): void => {
  parts.outbox.release(session);
  if (session.missedFrom !== undefined) catchUp(parts, session, session.missedFrom);
};

/**
 * For a session that is to hear more from an event on, and before it can be sure to hear it all. Delivery to others does
 * not wait for it: it is sent nothing live any more, and what it misses after `seq` as if it resumed.
 */
export const fallBehind = (parts: Parts, session: Session, seq: number): void => {
  parts.subscriptions.leaveAll(session);
  session.missedFrom = seq;
  if (session.phase === Phase.live) catchUp(parts, session, seq);
};

const catchUp = (parts: Parts, session: Session, seq: number): void => {
  parts.outbox.flushNow(session);
  if (session.phase !== Phase.live) return;
  session.beginAgain();
  const caughtUp = parts.resumes.run(session.caller, async () => {
    const { views, config } = parts.deps;
    if (!(await views.whenProcessed(seq + 1, config.viewsTimeoutMs))) return false;
    const outcome = await sendMissed(parts, session, seq);
    return outcome === 'ring' || outcome === 'log';
  });
  caughtUp.then(
    (all) => {
      if (session.phase === Phase.closed) return;
      if (!all) return session.drop(Closings.notDelivered);
      session.s = Math.max(session.s, session.missedFrom ?? parts.delivery.position);
      // The last of what it missed may be nothing that it hears, and a heartbeat tells only what is beyond its `s`.
      parts.outbox.pushAlone(session, dispatchFrame('PARLEY_POSITION', session.s, '{}'));
      goLive(parts, session);
    },
    (error: unknown) => {
      parts.deps.logger.error({ err: error }, 'a session could not catch up');
      session.drop(Closings.notDelivered);
    },
  );
};

const readChanged = async (session: Session, seq: number, { position, scope, deps }: Beginning): Promise<Changed> => {
  const changes = changesSince(seq, session, await deps.views.guilds.memberships(session.userId, seq));
  const joined = scope.guilds.filter(({ guild }) => changes.joined.has(guild.id));
  const ended = async ({ guild, member, threads }: VisibleGuild) => {
    const all = await deps.access.visibleThreads(guild, member, seq);
    const active = new Set(threads.map(({ id }) => id));
    return [guild.id, all.filter(({ id }) => !active.has(id))] as const;
  };
  const [endedThreads, snapshots, access] = await Promise.all([
    Promise.all(scope.guilds.map(ended)),
    readGuildSnapshots(deps, session, joined),
    accessSince(deps.views.guilds, session, scope.guilds, { after: seq, joined: changes.joined }),
  ]);
  return { position, scope, changes, access, snapshots, endedThreads: new Map(endedThreads) };
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

/** Each channel with those of the threads that are in it, and each other thread. */
const withTheirThreads = (gained: readonly ChannelRow[]): readonly (readonly ChannelRow[])[] => {
  const channels = gained.filter(({ thread }) => thread === undefined);
  const ids = new Set(channels.map(({ id }) => id));
  return [
    ...channels.map((channel) => [channel, ...gained.filter(({ thread }) => thread?.parentId === channel.id)]),
    ...gained.filter(({ thread }) => thread !== undefined && !ids.has(thread.parentId)).map((thread) => [thread]),
  ];
};

/**
 * Sends the guilds that changed, with the `s` the client came with, and then what it missed, in position order. A page is
 * read when the socket has taken the one before.
 */
const replay = async (
  parts: Parts,
  session: Session,
  seq: number,
  changed: Changed & { readonly access: readonly AccessSince[] },
  pages: MissedPages,
): Promise<void> => {
  const writer = new PacedWriter(parts, session);
  const { left, rejoined, joined } = changed.changes;
  // A session that has fallen behind stands right before the event that lets it in, which is told as at any other time.
  const sOf = (guildId: string) => (session.begun && joined.get(guildId) === seq + 1 ? seq + 1 : seq);
  for (const guildId of [...left, ...rejoined]) {
    await writer.add(guildDeleteFrame(guildId, seq, rejoined.includes(guildId)));
  }
  for (const snapshot of changed.snapshots) {
    await writer.add(await guildCreatePayload(parts.deps, session, snapshot, sOf(snapshot.guild.id)));
  }
  for (const { lost, gained, seenFrom } of changed.access) {
    for (const payload of await lostChannelPayloads(parts.deps, session, lost, seq)) await writer.add(payload);
    for (const group of withTheirThreads(gained)) {
      const from = seenFrom.get(group[0]!.id)!;
      const at = session.begun && from === seq + 1 ? from : seq;
      for (const payload of await gainedChannelPayloads(parts.deps, session, group, at)) await writer.add(payload);
    }
  }
  const viewer = viewerIn(session, changed.scope);
  let s = seq;
  let count = 0;
  for (let at = seq; at < changed.position; ) {
    const { missed, through } = await pages.after(at);
    for (const { event, dispatches } of missed) {
      if (session.phase !== Phase.holding) return;
      for (const frame of framesOf(await dispatches(), session, s, viewer)) await writer.add(frame);
      s = event.position;
    }
    count += missed.length;
    at = through;
  }
  writer.end();
  parts.deps.metrics.dispatches(count);
};
