/** What every store of the audience index must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { type Audience, guildAudience, userAudience } from '../../../schemas/streams.ts';
import { Story } from '../../testing.ts';
import type { AudienceReader } from './view.ts';

export interface OpenAudiences {
  readonly reader: AudienceReader;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

const GUILD = '20';
const ANN = '10';
const BOB = '11';

export const audienceContract = (name: string, open: () => Promise<OpenAudiences>) =>
  describe(`audience index on ${name}`, () => {
    let audiences: OpenAudiences;
    let story: Story;

    beforeEach(async () => {
      audiences = await open();
      story = new Story();
    });
    afterEach(() => audiences.close());

    const all = Number.MAX_SAFE_INTEGER;
    const positions = async (...of: Audience[]) =>
      (await audiences.reader.between(of, 0, all, 100)).map(({ position }) => position);

    it('files every event under the guild and the users it concerns', async () => {
      const ann = story.user(ANN).position;
      const guild = story.guild(GUILD, ANN).position;
      const channel = story.channel('30', GUILD).position;
      const joined = story.join(GUILD, ANN).position;
      const invite = story.invite('code', GUILD, '30', ANN, 1).position;
      story.redeem('code', GUILD, BOB);
      const bob = story.join(GUILD, BOB, 'code').position;
      story.post('30', ANN);
      const direct = story.direct('40', ANN, BOB).position;
      story.post('40', ANN);
      const read = story.read(BOB, { '30': 1 }).position;
      const left = story.leave(GUILD, BOB).position;
      await audiences.apply(story.since(0));
      expect(await positions(guildAudience(GUILD))).toEqual([guild, channel, joined, invite, bob, left]);
      expect(await positions(userAudience(ANN))).toEqual([ann, joined, direct - 1, direct]);
      expect(await positions(userAudience(BOB))).toEqual([bob, direct - 1, direct, read, left]);
    });

    it('merges several audiences in position order, with a limit and within bounds', async () => {
      for (const userId of ['12', '13', '14']) story.join(GUILD, userId);
      for (const userId of ['12', '13']) story.join('21', userId);
      await audiences.apply(story.since(0));
      const both = [guildAudience('21'), guildAudience(GUILD)];
      const entries = await audiences.reader.between(both, 1, 4, 100);
      expect(entries).toEqual([
        { audience: 'guild:20', position: 2, stream: 'member-20_13', sequence: 1, type: 'member-joined' },
        { audience: 'guild:20', position: 3, stream: 'member-20_14', sequence: 1, type: 'member-joined' },
        { audience: 'guild:21', position: 4, stream: 'member-21_12', sequence: 1, type: 'member-joined' },
      ]);
      expect(await audiences.reader.between(both, 1, 4, 2)).toEqual(entries.slice(0, 2));
      expect(await audiences.reader.between([], 0, 4, 2)).toEqual([]);
    });
  });
