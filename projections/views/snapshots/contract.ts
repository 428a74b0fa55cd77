/** What every store of state snapshots must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SnapshotReader, SnapshotWriter } from './view.ts';

export interface OpenSnapshots extends SnapshotReader, SnapshotWriter {
  close(): Promise<void>;
}

export const snapshotContract = (name: string, open: () => Promise<OpenSnapshots>) =>
  describe(`snapshots on ${name}`, () => {
    let snapshots: OpenSnapshots;
    beforeEach(async () => {
      snapshots = await open();
    });
    afterEach(() => snapshots.close());

    it('keeps the latest snapshot of each stream', async () => {
      await snapshots.apply([
        { stream: 'channel-1', sequence: 500, version: 1, json: '{"ordinal":400}' },
        { stream: 'channel-2', sequence: 500, version: 1, json: '{"ordinal":7}' },
      ]);
      await snapshots.apply([{ stream: 'channel-1', sequence: 1000, version: 2, json: '{"ordinal":900}' }]);
      expect(await snapshots.latest('channel-1')).toEqual({
        stream: 'channel-1',
        sequence: 1000,
        version: 2,
        state: { ordinal: 900 },
      });
      expect(await snapshots.latest('channel-2')).toMatchObject({ sequence: 500, state: { ordinal: 7 } });
    });

    it('has no snapshot of a short or unknown stream', async () => {
      expect(await snapshots.latest('channel-404')).toBeUndefined();
    });
  });
