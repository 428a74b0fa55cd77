/** Resume: continues a session from its client's last `s`, on any process, after any time. */
import type { Resume } from '../schemas/gateway/frames.ts';
import type { SessionClaims, Verified } from '../vault/port.ts';
import { goLive, sendMissed } from './catch-up.ts';
import { dispatchFrame } from './encoding.ts';
import type { ResumeOutcome } from './ports.ts';
import { type Closing, Closings, Phase, type Session } from './session.ts';
import { invalidate, type Parts, recognise, viewsAtHead, wants } from './session-start.ts';

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
  if (session.phase === Phase.closed) return undefined;
  parts.holders.take(claims.id, session);
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
  const outcome = await sendMissed(parts, session, seq);
  if (outcome === 'too-many' || outcome === 'unreadable') {
    refuse(parts, session, outcome);
    return undefined;
  }
  deps.metrics.resumes(outcome);
  if (session.phase !== Phase.holding) return undefined;
  // It listens to its person by now.
  if (deps.feed !== undefined) parts.holders.tell(session, deps.feed);
  session.s = Math.max(session.s, session.missedFrom ?? parts.delivery.position);
  parts.outbox.pushAlone(session, dispatchFrame('RESUMED', session.s, '{}'));
  goLive(parts, session);
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
  // A bot's token has no generation: it is of the present one.
  const generation = verified.generation ?? (await deps.views.guilds.user(verified.userId))?.signedOut.generation;
  const same = claims.userId === verified.userId && claims.generation === generation;
  if (!same || claims.epoch !== deps.log.epoch || seq === 0) return undefined;
  return seq <= (await deps.log.head()) ? claims : undefined;
};

const refuse = (parts: Parts, session: Session, outcome: ResumeOutcome): void => {
  if (session.phase !== Phase.closed) parts.deps.metrics.resumes(outcome);
  invalidate(parts, session);
};
