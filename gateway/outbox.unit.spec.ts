import { beforeEach, describe, expect, it } from 'vitest';
import { TestClock } from '../schemas/clock.testing.ts';
import { Lane } from './lane.ts';
import type { Link } from './link.ts';
import { Outbox } from './outbox.ts';
import { Phase, type Session } from './session.ts';

const BUDGET = 1_000;

/** Of all sessions of a test. */
let lane: Lane<Session>;
beforeEach(() => {
  lane = new Lane();
});

/** A session whose socket only records what it is given. */
const listener = (phase: Phase = Phase.live) => {
  const written: Buffer[] = [];
  const closed: string[] = [];
  const session = {
    phase,
    pending: null,
    lane,
    outlet: { writable: true, writableLength: 0, write: (bytes: Buffer) => written.push(bytes) },
    host: { started: () => {} },
    write: (bytes: Buffer) => written.push(bytes),
    drop: ({ reason }: { reason: string }) => {
      closed.push(reason);
      session.phase = Phase.closed;
    },
  };
  return { session: session as unknown as Session, socket: session.outlet, written, closed };
};

const outboxOf = () => {
  const counted = { bytes: 0 };
  const count = (bytes: number) => {
    counted.bytes += bytes;
  };
  return {
    outbox: new Outbox({ byteBudget: BUDGET, heldBudget: 50, stallMs: 30_000 }, { bytes: count }, new TestClock()),
    counted,
  };
};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const frames = ['one ', 'two ', 'three '].map((text) => Buffer.from(text));

describe('the outbox', () => {
  it('writes once to each socket, and the same Buffer to all sessions with the same frames', async () => {
    const { outbox, counted } = outboxOf();
    const crowd = Array.from({ length: 1_000 }, () => listener());
    for (const frame of frames) for (const { session } of crowd) outbox.push(session, frame);
    while (crowd.at(-1)!.written.length === 0) await turn();
    expect(crowd.every(({ written }) => written.length === 1)).toBe(true);
    expect(new Set(crowd.map(({ written }) => written[0])).size).toBe(1);
    expect(crowd[0]!.written[0]!.toString()).toBe('one two three ');
    expect(counted.bytes).toBe(1_000 * 14);
  });

  it('lets other work run, and adds frames that arrive meanwhile to the writes still to come', async () => {
    const { outbox } = outboxOf();
    const crowd = Array.from({ length: 300 }, () => listener());
    for (const { session } of crowd) outbox.push(session, frames[0]!);
    await turn();
    expect([crowd[0]!.written.length, crowd[299]!.written.length]).toEqual([1, 0]);
    for (const { session } of crowd) outbox.push(session, frames[1]!);
    while (crowd[0]!.written.length < 2) await turn();
    expect(crowd[299]!.written.map(String)).toEqual(['one two ']);
    expect(crowd[0]!.written.map(String)).toEqual(['one ', 'two ']);
  });

  it('closes a socket with more than the budget waiting, and writes no more to it', async () => {
    const { outbox } = outboxOf();
    const slow = listener();
    slow.socket.writableLength = BUDGET + 1;
    outbox.push(slow.session, frames[0]!);
    await turn();
    outbox.push(slow.session, frames[1]!);
    await turn();
    expect([slow.closed, slow.written]).toEqual([['Too slow'], []]);
  });

  it('has room for ephemeral dispatches up to a quarter of the budget', () => {
    const { outbox } = outboxOf();
    const { session, socket } = listener();
    const roomAt = (waiting: number) => {
      socket.writableLength = waiting;
      return outbox.hasRoomForEphemeral(session);
    };
    expect([0, BUDGET / 4, BUDGET / 4 + 1].map(roomAt)).toEqual([true, true, false]);
  });

  it('holds frames back for a holding session until it is released, up to a limit', async () => {
    const { outbox } = outboxOf();
    const patient = listener(Phase.holding);
    outbox.push(patient.session, frames[0]!);
    await turn();
    expect(patient.written).toEqual([]);
    outbox.release(patient.session);
    await turn();
    expect(patient.written.map(String)).toEqual(['one ']);
    const flooded = listener(Phase.holding);
    for (let i = 0; i < 20; i += 1) outbox.push(flooded.session, frames[0]!);
    expect(flooded.closed).toEqual(['Too slow']);
  });

  it('makes fast delivery wait for the flush in progress, and never for one that will not come', async () => {
    const { outbox } = outboxOf();
    const much = 5 * 1024 * 1024;
    await outbox.keepPace(much);
    const { session, written } = listener();
    outbox.push(session, frames[0]!);
    await outbox.keepPace(1);
    expect(written).toHaveLength(0);
    await outbox.keepPace(much);
    await turn();
    expect(written).toHaveLength(1);
    await outbox.keepPace(much);
  });

  it('makes delivery wait only for a while for sockets of another process, which then may not fall behind further', async () => {
    const clock = new TestClock();
    const outbox = new Outbox({ byteBudget: BUDGET, heldBudget: 50, stallMs: 30_000 }, { bytes: () => {} }, clock);
    const much = 5 * 1024 * 1024;
    const flushes: (() => void)[] = [];
    const pace = { soon: (flush: () => void) => flushes.push(flush), flushed: () => {}, done: 0 };
    lane = outbox.laneOf({ pace } as unknown as Link);
    const elsewhere = listener();
    outbox.push(elsewhere.session, frames[0]!);
    let delivered = false;
    const delivery = outbox.keepPace(much).then(() => {
      delivered = true;
    });
    await clock.advance(900);
    // It is slow, and does not stand still.
    pace.done += 1;
    await clock.advance(1_000);
    expect(delivered).toBe(false);
    await clock.advance(100);
    await delivery;
    await outbox.keepPace(much);
    const large = Buffer.alloc(BUDGET);
    outbox.push(elsewhere.session, large);
    expect(elsewhere.closed).toEqual(['Too slow']);
    // It has caught up: what it may leave unread is no less than for others.
    for (const flush of flushes) flush();
    const later = listener();
    for (const frame of [frames[0]!, large]) outbox.push(later.session, frame);
    expect(later.closed).toEqual([]);
  });

  it('does not overwrite the part of a private frame that a slow socket has yet to send', () => {
    const { outbox, counted } = outboxOf();
    const [slow, other] = [listener(), listener()];
    slow.socket.writableLength = 1;
    for (const { session } of [slow, other]) outbox.writeOnce(session, ['for one', frames[0]!], 13);
    for (const { session } of [other, other]) outbox.writeOnce(session, ['something else'], 16);
    expect(slow.written[0]!.toString('latin1', 2)).toBe('for oneone ');
    expect(counted.bytes).toBe(2 * 13 + 2 * 16);
  });
});
