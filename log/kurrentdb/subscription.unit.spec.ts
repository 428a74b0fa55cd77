import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../schemas/clock.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import type { Line } from '../../stores/kurrentdb/reading-connection.ts';
import { Following } from './subscription.ts';

const { ReadResp } = streams;

/** A checkpoint, with as many bytes more in a field that nobody knows. */
const messageOf = (commit: number, bytes: number): Buffer => {
  const checkpoint = new ReadResp.Checkpoint().setCommitPosition(String(commit)).setPreparePosition(String(commit));
  const known = new ReadResp().setCheckpoint(checkpoint).serializeBinary();
  const length = [(bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, (bytes >> 14) & 0x7f];
  return Buffer.concat([known, Buffer.from([0xc2, 0x3e, ...length]), Buffer.alloc(bytes)]);
};

/** A server that sends so many messages as fast as they are taken. */
const serverOf = (count: number, bytes: number) => {
  let sent = 0;
  const call = new Readable({
    objectMode: true,
    highWaterMark: 1,
    read() {
      sent += 1;
      this.push(sent > count ? null : messageOf(sent, bytes));
    },
  });
  const line = { subscribe: async () => Object.assign(call, { cancel: () => call.destroy() }), seen: 0, items: 0 };
  return {
    call,
    sent: () => sent,
    line: { ...line, ended: new AbortController().signal } as unknown as Line,
  };
};

describe('a subscription whose reader is busy', () => {
  it.each([
    ['a thousand messages', 2_500, 10, 1_000],
    ['as many bytes as a page has', 100, 200_000, Math.ceil(BUDGETS.log.readBytes / 200_000)],
  ])('lets the server wait after %s, and then gets everything in order', async (_, count, bytes, most) => {
    const { line, call, sent } = serverOf(count, bytes);
    const following = new Following(line, systemClock, 'start');
    const got: number[] = [];
    while (got.length < count) {
      while (!call.isPaused() && sent() <= count) await nextTurn();
      expect(sent() - got.length).toBeLessThanOrEqual(most + 2);
      for (const signal of await following.next(1_000, { silenceMs: 1_000 }))
        if (signal.kind === 'checkpoint') got.push(Number(signal.position.commit));
    }
    expect(got).toEqual(Array.from({ length: count }, (_, n) => n + 1));
    await expect(following.next(1, { silenceMs: 1_000 })).rejects.toThrow('ended the subscription');
    following.stop();
  });
});
