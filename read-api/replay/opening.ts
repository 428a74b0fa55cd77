/** Putting what was sealed in clear into the lines of a page. */
import { openText } from '../../vault/seal.ts';
import { authorOf, boxOf, messageIdOf, plainField, type ReplayPage, sealedAt, sealedEnd } from './page.ts';

const EMPTY = '{"content":"","embeds":[]}';

/** What was sealed, which is JSON itself and put in place as it is. */
const textOf = ({ lines, keys, deleted }: ReplayPage, line: number, start: number): string => {
  if (deleted.size > 0 && deleted.has(messageIdOf(lines, line))) return EMPTY;
  const by = authorOf(lines, start);
  const place = { stream: plainField(lines, 'stream', line), eventId: plainField(lines, 'id', line) };
  return openText(keys.get(by), place, { by, box: boxOf(lines, start) }) ?? 'null';
};

/**
 * The page's lines in clear. `text` stands in place of `sealed`: what was sealed, `null` where the author's key is gone or
 * the box is damaged, an empty message where it was deleted.
 */
export const openedLines = (page: ReplayPage): string => {
  const { lines } = page;
  let opened = '';
  let done = 0;
  let line = 0;
  for (let start = sealedAt(lines); start >= 0; start = sealedAt(lines, done)) {
    // Forwards, because that is searched by the word and backwards by the letter.
    for (let end = lines.indexOf('\n', done); end >= 0 && end < start; end = lines.indexOf('\n', line)) line = end + 1;
    opened += `${lines.slice(done, start)}"text":${textOf(page, line, start)}`;
    done = sealedEnd(lines, start);
  }
  return opened + lines.slice(done);
};
