import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import { decode } from '../../schemas/codecs.ts';
import { EMBED_BYTES, Embeds, refuseTooLong } from './embeds.ts';

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

  const NAME = 256;
  const VALUE = 1024;
  const PLACES: readonly [string, number, (text: string) => object][] = [
    ['title', 256, (title) => ({ title })],
    ['description', 4096, (description) => ({ description })],
    ['footer.text', 2048, (text) => ({ footer: { text } })],
    ['author.name', 256, (name) => ({ author: { name } })],
    [
      'fields.1.name',
      NAME,
      (name) => ({
        fields: [
          { name: 'a', value: 'b' },
          { name, value: 'b' },
        ],
      }),
    ],
    [
      'fields.1.value',
      VALUE,
      (value) => ({
        fields: [
          { name: 'a', value: 'b' },
          { name: 'a', value },
        ],
      }),
    ],
  ];
  /** Of one to six bytes as JSON. */
  const CHARACTERS = ['a', 'é', '語', '😀', '\u0001'];

  it.each(PLACES)(
    'whose %s is of %i characters in any script is taken, and of one more refused there',
    (place, most, embed) => {
      for (const character of CHARACTERS) {
        expect(either.isRight(decode(Embeds, [embed(character.repeat(most))]))).toBe(true);
        const refused = decode(Embeds, [{}, embed(character.repeat(most + 1))]);
        const said = { code: 'BASE_TYPE_MAX_LENGTH', message: `Must be ${most} or fewer in length.` };
        const errors = ['1', ...place.split('.')].reduceRight<object>((inner, key) => ({ [key]: inner }), {
          _errors: [said],
        });
        expect(either.isLeft(refused) && refused.left.errors).toEqual(errors);
      }
    },
  );

  it('has ten beside it at most, and 25 fields', () => {
    const many = { _errors: [{ code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 10 or fewer in length.' }] };
    const refused = decode(
      Embeds,
      Array.from({ length: 11 }, () => ({ title: 'a' })),
    );
    expect(either.isLeft(refused) && refused.left.errors).toEqual(many);
    const fields = Array.from({ length: 26 }, () => ({ name: 'a', value: 'b' }));
    expect(either.isLeft(decode(Embeds, [{ fields }]))).toBe(true);
    expect(either.isRight(decode(Embeds, [{ fields: fields.slice(1) }]))).toBe(true);
  });

  it('says 6,000 characters together with the others, in the most fields and in any script', () => {
    for (const character of CHARACTERS) {
      const value = character.repeat(24);
      const fields = Array.from({ length: 25 }, () => ({ name: '', value, inline: false }));
      const embeds = Array.from({ length: 10 }, () => ({ fields }));
      expect(Buffer.byteLength(JSON.stringify(embeds))).toBeLessThan(EMBED_BYTES);
      expect(either.isRight(decode(Embeds, embeds))).toBe(true);
      expect(refuseTooLong(embeds)).toBeUndefined();
      expect(refuseTooLong([...embeds.slice(1), { title: character, fields }])).toMatchObject({
        code: 50035,
        errors: { embeds: { _errors: [{ code: 'MAX_EMBED_SIZE_EXCEEDED' }] } },
      });
    }
  });
});
