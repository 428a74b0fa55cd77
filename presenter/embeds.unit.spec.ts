import { describe, expect, it } from 'vitest';
import { presentEmbed } from './embeds.ts';

describe('an embed as it is shown', () => {
  it('is rich, has no field that says nothing, and says of its own fields whether they are inline', () => {
    expect(
      presentEmbed({
        ...{ title: 'A', description: '', url: null, color: 0, image: { url: '' }, thumbnail: null, type: 'image' },
        footer: { text: '', icon_url: null },
        author: { name: 'ada', url: '' },
        fields: [
          { name: '', value: 'v', inline: null },
          { name: 'n', value: '', inline: true },
        ],
      }),
    ).toEqual({
      ...{ title: 'A', color: 0, type: 'rich', footer: { text: '' }, author: { name: 'ada' } },
      fields: [
        { name: '', value: 'v', inline: false },
        { name: 'n', value: '', inline: true },
      ],
    });
  });

  it('keeps what it says', () => {
    const whole = {
      ...{ title: 't', description: 'd', url: 'https://a.example', color: 7, type: 'rich' },
      image: { url: 'https://a.example/i', width: 1, height: 2 },
      thumbnail: { url: 'https://a.example/t' },
      timestamp: '2024-05-01T12:00:00.000000+00:00',
    };
    expect(presentEmbed(whole)).toEqual(whole);
  });

  it.each([
    ['2024-05-01T12:00:00Z', '2024-05-01T12:00:00.000000+00:00'],
    ['2024-05-01T14:00:00.25+02:00', '2024-05-01T12:00:00.250000+00:00'],
    ['2024-05-01T12:00:00', '2024-05-01T12:00:00.000000+00:00'],
    ['what a former version took', 'what a former version took'],
  ])('writes the time %s as %s', (given, shown) => {
    expect(presentEmbed({ timestamp: given })).toEqual({ timestamp: shown, type: 'rich' });
  });
});
