import fc from 'fast-check';
import { expect, it } from 'vitest';
import { guildAudience, userAudience } from '../../../schemas/streams.ts';
import { Story } from '../../testing.ts';
import { type AudienceEntry, type AudienceReader, audienceEntries, CurrentAudiences } from './view.ts';

const told = () => {
  const story = new Story();
  const events = [
    story.user('10'),
    story.guild('20', '10'),
    story.channel('30', '20'),
    story.join('20', '10'),
    story.user('11'),
    story.join('20', '11'),
    story.leave('20', '11'),
    story.channel('31', '20'),
  ];
  return { story, events };
};

const indexOf = (entries: readonly AudienceEntry[]): AudienceReader => ({
  between: async (audiences, after, through, limit) =>
    entries
      .filter((entry) => audiences.includes(entry.audience) && entry.position > after && entry.position <= through)
      .slice(0, limit),
});

it('the answer is the same however far the index has got', async () => {
  const { story, events } = told();
  const head = events.at(-1)!.position;
  const all = audienceEntries(events);
  const position = fc.integer({ min: 0, max: head });
  const audiences = [guildAudience('20'), userAudience('11')];
  await fc.assert(
    fc.asyncProperty(position, position, position, fc.integer({ min: 1, max: 12 }), async (held, after, end, limit) => {
      const index = indexOf(all.filter((entry) => entry.position <= held));
      const current = new CurrentAudiences(index, story.log, () => held);
      const expected = await indexOf(all).between(audiences, after, end, limit);
      expect(await current.between(audiences, after, end, limit)).toEqual(expected);
    }),
  );
});
