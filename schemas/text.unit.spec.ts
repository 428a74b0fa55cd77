import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asName,
  hasInvisible,
  isBlank,
  isStorable,
  lengthOf,
  lookAlikes,
  mixesScripts,
  nameKey,
  nameProblem,
} from './text.ts';

const INVISIBLE = [
  ['a variation selector', '\ufe0f'],
  ['a joiner', '\u200d'],
  ['a Hangul filler', '\u3164'],
  ['a half-width Hangul filler', '\uffa0'],
  ['a soft hyphen', '\u00ad'],
  ['a combining grapheme joiner', '\u034f'],
  ['a mark of direction', '\u202e'],
  ['a tag', '\u{e0041}'],
  ['a Braille blank', '\u2800'],
  ['a byte order mark', '\ufeff'],
  ['a control character', '\u0007'],
  ['an annotation mark', '\ufff9'],
] as const;

const anything = fc.string({ unit: 'binary' });

describe('text as people see it', () => {
  it.each(INVISIBLE)('%s shows nothing', (_, character) => {
    expect(isBlank(character)).toBe(true);
    expect(isBlank(` ${character}\t${character}\u00a0`)).toBe(true);
    expect(hasInvisible(`bob${character}`)).toBe(true);
    expect(nameKey(`bob${character}`)).toBe('bob');
    expect(nameKey(`b${character}ob`)).toBe('bob');
  });

  it.each(['', ' ', '\n\t', '\u3000', '\u2003\u2028'])('blanks show nothing: %j', (text) => {
    expect(isBlank(text)).toBe(true);
  });

  it.each(['a', '.', '❤️', '👨‍👩‍👧', ' x ', 'ـ', 'ㅤa', '\u0600', '\u0301'])('shows %j', (text) => {
    expect(isBlank(text)).toBe(false);
  });

  it('is read in one pass, however long', () => {
    expect(isBlank(`${'\n\u200b'.repeat(50_000)}a`)).toBe(false);
  });

  it('counts code points', () => {
    expect(lengthOf('')).toBe(0);
    expect(lengthOf('😀'.repeat(1001))).toBe(1001);
    expect(lengthOf('\ud83d')).toBe(1);
    expect(lengthOf('\ud83dx\ude00')).toBe(3);
    fc.assert(fc.property(anything, (text) => lengthOf(text) === [...text].length));
  });

  it('knows what no store gives back', () => {
    expect(isStorable('a\0')).toBe(false);
    expect(isStorable('\ud83d')).toBe(false);
    expect(isStorable('😀')).toBe(true);
  });

  it.each([
    ['ＡLICE', 'alice'],
    ['ﬁona', 'fiona'],
    ['ΑΣ', 'ασ'],
    ['ẞ', 'ß'],
    ['e\u0301', 'é'],
  ])('knows %j and %j as one username', (one, other) => {
    expect(nameKey(one)).toBe(nameKey(other));
  });

  it('gives a username one form, however often it is asked', () => {
    fc.assert(fc.property(anything, (name) => nameKey(nameKey(name)) === nameKey(name)));
    fc.assert(fc.property(anything, (name) => nameKey(name.normalize('NFD')) === nameKey(name)));
  });

  it('knows scripts whose letters look alike', () => {
    expect(mixesScripts('аlice')).toBe(true);
    expect(mixesScripts('αlice')).toBe(true);
    expect(mixesScripts('alice_12')).toBe(false);
    expect(mixesScripts('Павел')).toBe(false);
    expect(mixesScripts('日本alice')).toBe(false);
  });

  it.each(['éΖoë', 'bօb', 'ΑЛiсе', '한국あ', 'ᏟᎪᎡ', 'ⲁⲗⲓⲥⲉ', 'ꓮꓡꓲꓚꓰ', '𐐬𐐬𐐬'])(
    'knows %s as mixed or of no common script',
    (name) => {
      expect(mixesScripts(name)).toBe(true);
    },
  );

  it.each(['Ζωή', 'Юля', 'Արմեն', 'नमस्ते', '日本語カナ', '김철수', 'שלום', 'محمد', 'ไทย', 'zoë-7', '日本ー', '👍_1'])(
    'knows %s as of one script',
    (name) => {
      expect(mixesScripts(name)).toBe(false);
    },
  );

  it.each(['\u0301', '\u0301\u0323', ' \u0301', '\u093f\u093e', '\u20dd\ufe0f', '', '\u3164'])(
    'of a name sees nothing: %j',
    (name) => {
      expect(nameProblem(name)).toMatch(/visible/);
    },
  );

  it.each(['\u202e', '\u202a', '\u2066', '\u200f', '\u061c', '\n', '\u2028', '\u0007', '\u009b'])(
    'lets no name hold what puts its surroundings in disorder: %j',
    (character) => {
      expect(nameProblem(`a${character}b`)).toMatch(/direction/);
    },
  );

  it('shows a name from elsewhere without that', () => {
    for (const name of ['|QuaD-', 'Юля']) expect(asName(name)).toBe(name);
    expect(asName('\u202eevil\u0007')).toBe('evil');
    for (const nothing of ['\u202e', '\u3164', '\u0301']) expect(asName(nothing)).toBe('\ufffd');
    fc.assert(fc.property(anything, (given) => nameProblem(asName(given)) === undefined));
  });

  it.each(['a', 'e\u0301', '❤️', '👨‍👩‍👧', ' x ', 'नमस्ते', 'a\u200bb', 'שלום'])('takes the name %j', (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });

  it.each([
    ['cop', 'сор'],
    ['COP', 'СОР'],
    ['alice', 'ɑlice'],
    ['bob', 'bοb'],
    ['uno', 'սոօ'],
    ['Bop', 'Вор'],
    ['paypal', 'раураІ'],
  ])('knows %s and %s as alike', (one, other) => {
    expect(lookAlikes(other)).toContain(nameKey(one));
  });

  it.each(['alice', 'l1', '0O', 'rn', 'josé', 'Юля', '日本'])('knows %s as itself', (name) => {
    expect(lookAlikes(name)).not.toContain(nameKey(name));
    if (/^[\0-\x7f]*$/.test(name)) expect(lookAlikes(name)).toEqual([]);
  });
});
