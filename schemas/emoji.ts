/** Unicode emoji. Each has one canonical form: fully qualified, with the variation selectors that some clients drop. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { text } from './codecs.ts';
import { lazy } from './lazy.ts';

// No regular expression literal: the compiler's target lacks the `v` flag, though every supported Node has it.
const flags: string = 'v';
/** Made when it is first needed: Node takes 10 ms for the whole table. */
const emoji = lazy(() => new RegExp('^\\p{RGI_Emoji}$', flags));

/** Emoji shown as text unless a selector or a skin tone follows. */
const TEXT_BY_DEFAULT = /(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu;

const qualified = (value: string): string => value.replaceAll('\uFE0F', '').replace(TEXT_BY_DEFAULT, '$&\uFE0F');

export const isEmoji = (value: string): boolean => emoji().test(value) || emoji().test(qualified(value));

/** The one form in which an emoji is stored, compared and shown. Text that is no emoji stays as it is. */
export const canonicalEmoji = (value: string): string => {
  if (emoji().test(value)) return value;
  const form = qualified(value);
  return emoji().test(form) ? form : value;
};

const given = text(1, 64, 'emoji');

/** An emoji in a request, decoded to its canonical form. It may be no emoji at all: see `isEmoji`. */
export const Emoji = new t.Type<string, string, unknown>(
  given.name,
  given.is,
  (u, context) => either.map(canonicalEmoji)(given.validate(u, context)),
  t.identity,
);
