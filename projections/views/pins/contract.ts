/** What every store of pins must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { messageId, Story } from '../../testing.ts';
import type { PinReader } from './view.ts';

export interface OpenPins {
  readonly reader: PinReader;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

const CHANNEL = '30';
const ANN = '10';

export const pinContract = (name: string, open: () => Promise<OpenPins>) =>
  describe(`pins on ${name}`, () => {
    let pins: OpenPins;
    let story: Story;
    let applied: number;

    beforeEach(async () => {
      pins = await open();
      story = new Story();
      applied = 0;
    });
    afterEach(() => pins.close());

    const project = async () => {
      await pins.apply(story.since(applied));
      applied = await story.log.head();
    };
    const pinned = async (query: { before?: number; limit?: number } = {}) =>
      (await pins.reader.pinned(CHANNEL, { limit: 50, ...query })).map(({ messageId: id }) => id);
    const id = (ordinal: number) => messageId(CHANNEL, ordinal);

    it('lists the last pinned message first, page by page', async () => {
      for (const ordinal of [3, 1, 2]) story.pin(CHANNEL, ordinal, ANN, 1000 + applied + story.log.all.length);
      await project();
      expect(await pinned()).toEqual([id(2), id(1), id(3)]);
      const [first] = await pins.reader.pinned(CHANNEL, { limit: 1 });
      expect(first).toEqual({ messageId: id(2), pinnedTime: 1002 });
      expect(await pinned({ before: first!.pinnedTime, limit: 1 })).toEqual([id(1)]);
      expect(await pinned({ before: 1000 })).toEqual([]);
    });

    it('knows which of some messages are pinned in this channel', async () => {
      story.pin(CHANNEL, 1, ANN, 1);
      story.pin('31', 2, ANN, 1);
      await project();
      expect(await pins.reader.pinnedAmong(CHANNEL, [id(1), id(2), messageId('31', 2), '7'])).toEqual(new Set([id(1)]));
      expect(await pins.reader.pinnedAmong('404', [id(1)])).toEqual(new Set());
      expect(await pins.reader.pinnedAmong(CHANNEL, [])).toEqual(new Set());
    });

    it('knows when the last pin of each channel was set', async () => {
      story.pin(CHANNEL, 1, ANN, 1_700_000_000_001);
      story.pin(CHANNEL, 2, ANN, 1_700_000_000_002);
      story.pin('31', 1, ANN, 1_700_000_000_003);
      story.pin('32', 1, ANN, 1);
      await project();
      story.unpin(CHANNEL, 2, ANN);
      story.unpin('32', 1, ANN);
      await project();
      expect(await pins.reader.lastPinned([CHANNEL, '31', '32', '404', `0${CHANNEL}`])).toEqual(
        new Map([
          [CHANNEL, 1_700_000_000_001],
          ['31', 1_700_000_000_003],
        ]),
      );
      expect(await pins.reader.lastPinned([])).toEqual(new Map());
    });

    it('forgets a message that was unpinned', async () => {
      story.pin(CHANNEL, 1, ANN, 1);
      story.pin(CHANNEL, 2, ANN, 2);
      await project();
      story.unpin(CHANNEL, 1, ANN);
      await project();
      expect(await pinned()).toEqual([id(2)]);
    });

    it('is right after one batch pins and unpins the same message several times', async () => {
      story.pin(CHANNEL, 1, ANN, 1);
      await project();
      story.unpin(CHANNEL, 1, ANN);
      story.pin(CHANNEL, 1, ANN, 2);
      story.unpin(CHANNEL, 1, ANN);
      story.pin(CHANNEL, 1, ANN, 3);
      await project();
      expect(await pins.reader.pinned(CHANNEL, { limit: 9 })).toEqual([{ messageId: id(1), pinnedTime: 3 }]);
      story.unpin(CHANNEL, 1, ANN);
      story.pin(CHANNEL, 1, ANN, 4);
      story.unpin(CHANNEL, 1, ANN);
      await project();
      expect(await pinned()).toEqual([]);
    });

    it('does not confuse an id with leading zeros with the one without', async () => {
      story.pin(CHANNEL, 1, ANN, 1);
      await project();
      expect(await pins.reader.pinnedAmong(CHANNEL, [`0${id(1)}`])).toEqual(new Set());
      expect(await pins.reader.pinned(`0${CHANNEL}`, { limit: 9 })).toEqual([]);
    });
  });
