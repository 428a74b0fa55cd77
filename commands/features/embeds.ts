/** Embeds as authors give them. Libraries with types stop at a message whose embeds have others. */

import * as t from 'io-ts';
import { anyText, checkedText, integer, list, optional, sized, timeFromIso } from '../../schemas/codecs.ts';

const EMBEDS = 10;
const FIELDS = 25;
export const EMBED_BYTES = 8192;

/** Some name no zone, and mean UTC. */
const isTime = (given: string): boolean => (timeFromIso(given) ?? timeFromIso(`${given}Z`)) !== undefined;

const Time = checkedText('ISO 8601 time', (u) =>
  typeof u === 'string' && isTime(u) ? undefined : 'Must be an ISO 8601 time, such as 2024-05-01T12:00:00Z.',
);

const Url = checkedText('URL', (u) =>
  typeof u === 'string' && /^(https?:\/\/.{1,2040})?$/isu.test(u)
    ? undefined
    : 'Must begin with http:// or https:// and be at most 2048 characters long.',
);

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
