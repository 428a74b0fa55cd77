/** Text as people see it: classes of characters, lengths, and the one form for all spellings of a name. */

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

/** Letters of these look alike: a Cyrillic `а` passes for a Latin one. */
const LOOK_ALIKE = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];

/** Whether its letters are of more than one of the scripts whose letters look alike. */
export const mixesScripts = (text: string): boolean =>
  LOOK_ALIKE.filter((script) => script.test(text.normalize('NFKC'))).length > 1;

/** One form for all spellings of a username: `ＡLICE` and `alice` are the same person, and so is `alice` with a joiner. */
export const usernameKey = (username: string): string =>
  username.normalize('NFKC').toLowerCase().replaceAll('ς', 'σ').replace(INVISIBLES, '').normalize('NFKC');
