/** The fields by which people change what they say about themselves. */
import * as t from 'io-ts';
import { integer, optional, text, visibleText } from '../codecs.ts';

export const ProfileFields = t.partial({
  global_name: optional(visibleText(1, 32, 'global_name')),
  bio: optional(text(0, 190, 'bio')),
  pronouns: optional(text(0, 40, 'pronouns')),
  /** 24 bits: red, green, blue. */
  accent_color: optional(integer(0, 0xff_ff_ff)),
  custom_status: optional(t.type({ text: text(1, 128, 'text') })),
});
export type ProfileFields = t.TypeOf<typeof ProfileFields>;
