/** Identify: starts a new session. Its snapshot and its subscriptions belong to one position, so it misses nothing. */

import type { Device } from '../coordination/port.ts';
import { type Identify, validIntents } from '../schemas/gateway/frames.ts';
import { goLive } from './catch-up.ts';
import { readSnapshot, sendSnapshot } from './ready.ts';
import { type Closing, Closings, Phase, type Session } from './session.ts';
import { begin, invalidate, type Parts, recognise, viewsAtHead, wants } from './session-start.ts';

/**
 * The kind of device, from what a client says when it identifies. The words themselves are not kept: they may be
 * anything.
 */
const KINDS: readonly (readonly [device: Device, said: RegExp])[] = [
  ['mobile', /android|\bios\b|iphone|ipad/],
  ['desktop', /discord client|electron|desktop/],
  ['web', /chrom|firefox|safari|edge|opera|mozilla/],
];

/** @param properties of op 2: `os`, `browser` and `device`, with `$` in front in old libraries. */
export const deviceOf = (properties: Readonly<Record<string, unknown>> | null | undefined): Device => {
  const said = ['os', 'browser', 'device']
    .map((name) => properties?.[name] ?? properties?.[`$${name}`])
    .filter((value) => typeof value === 'string')
    .join(' ')
    .slice(0, 200)
    .toLowerCase();
  return KINDS.find(([, shape]) => shape.test(said))?.[0] ?? 'other';
};

const validShard = ([id, count]: readonly [number, number]): boolean =>
  Number.isInteger(id) && Number.isInteger(count) && count >= 1 && count <= 65_536 && id >= 0 && id < count;

/** Carries out op 2. @returns why the socket must be closed, if it must. */
export const identify = async (parts: Parts, session: Session, asked: Identify): Promise<Closing | undefined> => {
  const { deps } = parts;
  const verified = await deps.tokens.verify(asked.token);
  if (verified === undefined) return Closings.badToken;
  session.host.identified(session);
  const shard = asked.shard ?? ([0, 1] as const);
  if (!validShard(shard)) return Closings.invalidShard;
  if (!(await deps.mayBegin(verified.userId))) {
    invalidate(parts, session);
    return undefined;
  }
  if ((await viewsAtHead(parts)) === undefined) return Closings.notReady;
  if (!(await recognise(parts, session, verified))) return Closings.badToken;
  const intents = asked.intents ?? undefined;
  if (intents === undefined ? session.isBot : !validIntents(intents)) return Closings.invalidIntents;
  wants(session, intents);
  [session.shardId, session.shardCount] = shard;
  session.device = deviceOf(asked.properties);
  session.largeThreshold = asked.large_threshold ?? session.largeThreshold;

  const snapshot = await begin(parts, session, (at) => readSnapshot(session, at));
  if (session.phase !== Phase.holding) return undefined;
  await sendSnapshot(parts, session, snapshot);
  if (session.phase !== Phase.holding) return undefined;
  session.address = undefined;
  goLive(parts, session);
  return undefined;
};
