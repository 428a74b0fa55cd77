/** What every store of bans must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { Story } from '../../testing.ts';
import type { BanReader, BansQuery } from './view.ts';

export interface OpenBans {
  readonly reader: BanReader;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

const GUILD = '20';

export const banContract = (name: string, open: () => Promise<OpenBans>) =>
  describe(`bans on ${name}`, () => {
    let bans: OpenBans;
    let story: Story;
    let applied: number;

    beforeEach(async () => {
      bans = await open();
      story = new Story();
      applied = 0;
    });
    afterEach(() => bans.close());

    const project = async () => {
      await bans.apply(story.since(applied));
      applied = await story.log.head();
    };
    const listed = async (query: Partial<BansQuery> = {}) =>
      (await bans.reader.bans(GUILD, { limit: 10, ...query })).map(({ userId }) => userId);

    it('lists those who are banned by id, page by page, from either end', async () => {
      for (const userId of ['9', '11', '10', '100']) story.ban(GUILD, userId);
      story.ban('21', '12');
      await project();
      expect(await listed()).toEqual(['9', '10', '11', '100']);
      expect(await listed({ limit: 2 })).toEqual(['9', '10']);
      expect(await listed({ after: '10', limit: 2 })).toEqual(['11', '100']);
      expect(await listed({ before: '100', limit: 2 })).toEqual(['10', '11']);
      expect(await listed({ after: '9223372036854775807' })).toEqual([]);
      expect(await listed({ before: '9' })).toEqual([]);
    });

    it('knows a ban while it lasts, with its sealed reason', async () => {
      const reason = { by: '10', box: 'Ym94' };
      const { id: sealedIn } = story.ban(GUILD, '11', reason);
      await project();
      expect(await bans.reader.ban(GUILD, '11')).toEqual({ userId: '11', reason, sealedIn });
      expect(await bans.reader.ban(GUILD, '12')).toBeUndefined();
      story.unban(GUILD, '11');
      await project();
      expect(await bans.reader.ban(GUILD, '11')).toBeUndefined();
      const again = story.ban(GUILD, '11');
      await project();
      expect(await bans.reader.ban(GUILD, '11')).toEqual({ userId: '11', reason: null, sealedIn: again.id });
    });

    it('takes bans that begin and end in one batch', async () => {
      story.ban(GUILD, '11');
      story.unban(GUILD, '11');
      story.ban(GUILD, '11');
      story.ban(GUILD, '12');
      story.unban(GUILD, '12');
      await project();
      expect(await listed()).toEqual(['11']);
    });
  });
