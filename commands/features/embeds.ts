/** Embeds as authors give them. Libraries with types stop at a message whose embeds have others. */

import * as t from 'io-ts';
import { anyText, checkedText, integer, list, optional, sized, timeFromIso } from '../../schemas/codecs.ts';
import { fieldError, type ParleyError } from '../../schemas/errors.ts';
import { lengthOf } from '../../schemas/text.ts';

const EMBEDS = 10;
const FIELDS = 25;
/** Of the texts of all embeds of a message together. */
const EMBED_LENGTH = 6000;
/** As JSON. Takes the longest texts of the most fields, each character of six bytes, which only escaped ones have. */
export const EMBED_BYTES = 49_152;

/** Some name no zone, and mean UTC. */
const isTime = (given: string): boolean => (timeFromIso(given) ?? timeFromIso(`${given}Z`)) !== undefined;

const Time = checkedText('ISO 8601 time', (u) =>
  typeof u === 'string' && isTime(u) ? undefined : 'Must be an ISO 8601 time, such as 2024-05-01T12:00:00Z.',
);

const URL_LENGTH = 2048;

const Url = checkedText('URL', (u) => {
  if (typeof u !== 'string') return 'Must be a string.';
  if (lengthOf(u) > URL_LENGTH)
    return { code: 'BASE_TYPE_MAX_LENGTH', message: `Must be ${URL_LENGTH} or fewer in length.` };
  if (u === '' || /^https?:\/\/./is.test(u)) return undefined;
  const [, scheme] = /^([a-z][a-z\d+.-]*):/i.exec(u) ?? [];
  return scheme === undefined || /^https?$/i.test(scheme)
    ? { code: 'URL_TYPE_INVALID_URL', message: 'Not a well formed URL.' }
    : { code: 'URL_TYPE_INVALID_SCHEME', message: `Scheme "${scheme}" must be one of ('http', 'https').` };
});

const pixels = optional(integer(0, 2 ** 31 - 1));
/** An image or a video. */
const Media = t.intersection([
  t.type({ url: Url }),
  t.partial({ proxy_url: optional(Url), width: pixels, height: pixels }),
]);
const icon = { icon_url: optional(Url), proxy_icon_url: optional(Url) };
const Footer = t.intersection([t.type({ text: anyText(0, 2048) }), t.partial(icon)]);
const Author = t.intersection([t.type({ name: anyText(0, 256) }), t.partial({ url: optional(Url), ...icon })]);
const Field = t.intersection([
  t.type({ name: anyText(0, 256), value: anyText(0, 1024) }),
  t.partial({ inline: optional(t.boolean) }),
]);

const Embed = t.partial({
  title: optional(anyText(0, 256)),
  description: optional(anyText(0, 4096)),
  url: optional(Url),
  timestamp: optional(Time),
  color: optional(integer(0, 0xffffff)),
  footer: optional(Footer),
  image: optional(Media),
  thumbnail: optional(Media),
  author: optional(Author),
  fields: optional(list(Field, FIELDS)),
  // Discord's own; some libraries send back what they were shown.
  video: optional(t.partial({ url: optional(Url), proxy_url: optional(Url), width: pixels, height: pixels })),
  provider: optional(t.partial({ name: optional(anyText(0, 256)), url: optional(Url) })),
});

/** Up to 10 of them. */
export const Embeds = sized(list(Embed, EMBEDS), EMBED_BYTES, 'MAX_EMBED_SIZE_EXCEEDED');

/** Refuses embeds whose texts are too long together. */
export const refuseTooLong = (embeds: t.TypeOf<typeof Embeds>): ParleyError | undefined => {
  const texts = embeds.flatMap(({ title, description, footer, author, fields }) => [
    ...[title, description, footer?.text, author?.name],
    ...(fields ?? []).flatMap(({ name, value }) => [name, value]),
  ]);
  const length = texts.reduce((sum, one) => sum + lengthOf(one ?? ''), 0);
  return length <= EMBED_LENGTH
    ? undefined
    : fieldError(['embeds'], 'MAX_EMBED_SIZE_EXCEEDED', `Embed size exceeds maximum size of ${EMBED_LENGTH}`);
};
