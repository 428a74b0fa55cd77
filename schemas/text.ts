/** Text as people see it: classes of characters, lengths, and the one form for all spellings of a name. */

import unhomoglyph from 'unhomoglyph';

/**
 * Whether every store gives the text back as it was: PostgreSQL stores no NUL, and UTF-8 has no form for half of a
 * surrogate pair. Asked for every event, so it is not a regular expression.
 */
export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/**
 * Characters that show nothing, blanks aside: all that Unicode calls ignorable (joiners, variation selectors, fillers,
 * marks of direction, tags), controls, and the few that are drawn empty although Unicode calls them visible.
 */
const INVISIBLE =
  '\\p{Default_Ignorable_Code_Point}\\p{Cc}\\p{Surrogate}\\u2800\\ufff9-\\ufffb\\u{13430}-\\u{13440}\\u{16fe4}\\u{1d159}';
const INVISIBLES = new RegExp(`[${INVISIBLE}]`, 'gu');
const VISIBLE = new RegExp(`[^\\p{White_Space}${INVISIBLE}]`, 'u');

export const hasInvisible = (text: string): boolean => text.search(INVISIBLES) >= 0;

/** Whether a reader would see nothing. */
export const isBlank = (text: string): boolean => !VISIBLE.test(text);

/** A mark shows nothing without a letter that carries it. */
const CARRYING = new RegExp(`[^\\p{White_Space}\\p{Mark}${INVISIBLE}]`, 'u');
/** Orders that turn what follows around, and ends of lines. */
const DISORDER = /[\p{Bidi_Control}\p{Cc}\p{Zl}\p{Zp}]/u;

/** What keeps a text from being a name that people can tell from others; `undefined` if nothing does. */
export const nameProblem = (name: string): string | undefined => {
  if (!CARRYING.test(name)) return 'Must have at least one visible character.';
  return DISORDER.test(name) ? 'Must not have control characters or marks of direction.' : undefined;
};

/** A name from elsewhere as it may be shown: without what `nameProblem` refuses, or `\ufffd` if nothing else is left. */
export const asName = (given: string): string => {
  const name = given.replace(new RegExp(DISORDER, 'gu'), '');
  return nameProblem(name) === undefined ? name : '\ufffd';
};

/** The number of code points, which is how Discord counts: an emoji of two UTF-16 units is one. */
export const lengthOf = (text: string): number => {
  let length = text.length;
  for (let i = 0; i + 1 < text.length; i += 1) {
    if (text.codePointAt(i)! <= 0xffff) continue;
    length -= 1;
    i += 1;
  }
  return length;
};

/** The scripts in common use that Unicode recommends for names (UAX 31, table 5). */
const SCRIPTS =
  'Arab Armn Beng Bopo Cyrl Deva Ethi Geor Grek Gujr Guru Hang Hani Hebr Hira Kana Khmr Knda Laoo Latn Mlym Mymr Orya Sinh Taml Telu Thaa Thai Tibt';
/** Those that are written together (UTS 39, "highly restrictive"). */
const TOGETHER = ['Latn Hani Hira Kana', 'Latn Hani Bopo', 'Latn Hani Hang'];

const ONE_SCRIPT = [...TOGETHER, ...SCRIPTS.split(' ')].map((scripts) => {
  const letters = ['Zyyy', 'Zinh', ...scripts.split(' ')].map((script) => `\\p{scx=${script}}`);
  return new RegExp(`^[${letters.join('')}]*$`, 'u');
});

/** Whether its letters are of several scripts that are not written together, or of one that is not in common use. */
export const mixesScripts = (text: string): boolean => {
  const folded = text.normalize('NFKC');
  return !ONE_SCRIPT.some((one) => one.test(folded));
};

/** One form for all spellings of a name: `ＡLICE` and `alice` are the same person, and so is `alice` with a joiner. */
export const nameKey = (name: string): string =>
  name.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ').replace(INVISIBLES, '').normalize('NFKC');

/** ASCII stays as it is: Unicode takes `l` and `1`, or `rn` and `m`, for alike. */
const foldHomoglyphs = (name: string): string => name.replace(/[^\0-\x7f]+/g, unhomoglyph);

/**
 * The other keys under which a username would be taken for somebody else's (UTS 39): a Cyrillic `сор` looks like `cop`. As
 * typed and in lower case, whose letters look like others.
 */
export const lookAlikes = (username: string): readonly string[] => {
  const key = nameKey(username);
  const looks = [username.normalize('NFKC'), key].map((form) => nameKey(foldHomoglyphs(form)));
  return [...new Set(looks)].filter((form) => form !== key && form !== '');
};
