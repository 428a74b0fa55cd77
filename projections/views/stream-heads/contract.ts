/** What every store of streams' heads must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { Story } from '../../testing.ts';
import type { StreamHeadReader } from './view.ts';

export interface OpenStreamHeads {
  readonly reader: StreamHeadReader;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

const ANN = '10';

export const streamHeadContract = (name: string, open: () => Promise<OpenStreamHeads>) =>
  describe(`heads of streams on ${name}`, () => {
    let heads: OpenStreamHeads;
    let story: Story;
    let applied: number;

    beforeEach(async () => {
      heads = await open();
      story = new Story();
      applied = 0;
    });
    afterEach(() => heads.close());

    const project = async () => {
      await heads.apply(story.since(applied));
      applied = await story.log.head();
    };
    const page = (query: Partial<Parameters<StreamHeadReader['page']>[0]> = {}) =>
      heads.reader.page({ prefix: '', after: '', limit: 100, ...query });
    const told = async () => {
      story.user(ANN);
      story.guild('20', ANN);
      for (const id of ['9', '30', '31']) story.channel(id, '20');
      for (let n = 0; n < 5; n += 1) story.post('30', ANN);
      await project();
      for (let n = 0; n < 3; n += 1) for (const id of ['31', '9']) story.post(id, ANN);
      story.join('20', ANN);
      story.post('30', ANN);
      await project();
    };

    it('are those of the log, in name order', async () => {
      expect(await page()).toEqual([]);
      await told();
      expect(await page()).toEqual(await story.log.streams({ limit: 100 }));
      expect(await page({ prefix: 'channel-' })).toMatchObject([
        { stream: 'channel-30', sequence: 7 },
        { stream: 'channel-31', sequence: 4 },
        { stream: 'channel-9', sequence: 4 },
      ]);
    });

    it('come page by page, with and without a prefix', async () => {
      await told();
      const all = await page();
      for (const [n, { stream }] of all.entries()) expect(await page({ after: stream })).toEqual(all.slice(n + 1));
      expect(await page({ limit: 2 })).toEqual(all.slice(0, 2));
      expect(await page({ prefix: 'channel-3' })).toHaveLength(2);
      expect(await page({ prefix: 'channel-', after: 'channel-30', limit: 1 })).toMatchObject([
        { stream: 'channel-31' },
      ]);
      expect(await page({ prefix: 'channel-', after: 'a' })).toHaveLength(3);
      expect(await page({ prefix: 'channel-', after: 'user-' })).toEqual([]);
      expect(await page({ prefix: 'nothing' })).toEqual([]);
    });

    it('are complete where the store has followed the log from its start', async () => {
      await told();
      expect(await heads.reader.isComplete()).toBe(true);
    });
  });
