import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import { decode } from '../../schemas/codecs.ts';
import { Embeds } from './embeds.ts';

describe('an embed', () => {
  it.each([
    [{ title: 'a', description: 'b', url: 'https://a.example/', timestamp: '2024-05-01T12:00:00.123456+00:00' }],
    [{ title: 'a', timestamp: '2024-05-01T12:00:00.123456', color: 0xffffff, type: 'rich' }],
    [{ footer: { text: 'a', icon_url: 'https://a.example/i' }, author: { name: 'b', url: null }, color: null }],
    [{ image: { url: 'http://a.example/', width: 1, height: 0 }, thumbnail: { url: 'https://a.example/t' } }],
    [
      {
        fields: [
          { name: 'a', value: 'b' },
          { name: 'c', value: 'd', inline: true },
        ],
      },
    ],
  ])('%j is taken', (embed) => {
    expect(decode(Embeds, [embed])).toEqual(either.right([embed]));
  });

  it.each([
    ['title', { title: 1 }],
    ['url', { url: 'javascript:alert(1)' }],
    ['timestamp', { timestamp: 'no' }],
    ['timestamp', { timestamp: '2024-02-31T12:00:00Z' }],
    ['color', { color: 1.5 }],
    ['color', { color: -1 }],
    ['color', { color: 0x1000000 }],
    ['color', { color: 'x' }],
    ['footer', { footer: { text: 1 } }],
    ['image', { image: 'https://a.example/' }],
    ['image', { image: {} }],
    ['video', { video: { width: '1' } }],
    ['provider', { provider: { name: 1 } }],
    ['author', { author: { url: 'https://a.example/' } }],
    ['fields', { fields: [{ name: 'a', value: 'b', inline: 1 }] }],
    ['fields', { fields: {} }],
  ])('whose %s is of another form is refused at it: %j', (field, embed) => {
    const refused = decode(Embeds, [embed]);
    expect(either.isLeft(refused) && refused.left.errors).toMatchObject({ 0: { [field]: {} } });
  });
});
