import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import { decode } from '../../schemas/codecs.ts';
import { AllowedMentions, refuseBoth } from './allowed-mentions.ts';

const errorsOf = (sent: object) => {
  const decoded = decode(AllowedMentions, sent);
  return either.isLeft(decoded) ? decoded.left.errors : undefined;
};
const ids = (count: number) => Array.from({ length: count }, (_, n) => String(n + 1));

describe('allowed_mentions', () => {
  it('takes a hundred ids of a kind, each once, and words that there are', () => {
    expect(errorsOf({ parse: ['users', 'roles', 'everyone'], replied_user: true })).toBeUndefined();
    expect(errorsOf({ users: ids(100), roles: ids(100) })).toBeUndefined();
    for (const kind of ['users', 'roles']) {
      const tooMany = [{ code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 100 or fewer in length.' }];
      expect(errorsOf({ [kind]: ids(101) })).toEqual({ [kind]: { _errors: tooMany } });
      const twice = { 1: { _errors: [{ code: 'SET_TYPE_ALREADY_CONTAINS_VALUE' }] } };
      expect(errorsOf({ [kind]: ['1', '1'] })).toMatchObject({ [kind]: twice });
    }
    expect(errorsOf({ parse: ['users', 'channels'] })).toEqual({
      parse: {
        1: {
          _errors: [{ code: 'BASE_TYPE_CHOICES', message: "Value must be one of ('roles', 'users', 'everyone')." }],
        },
      },
    });
  });

  it('does not take all of a kind together with some of it; an empty list names none', () => {
    for (const kind of ['users', 'roles'] as const) {
      const message = `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`;
      expect(refuseBoth({ parse: [kind], [kind]: ['1'] })).toMatchObject({
        code: 50035,
        errors: { allowed_mentions: { _errors: [{ code: 'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE', message }] } },
      });
      expect(refuseBoth({ parse: [kind], [kind]: [] })).toBeUndefined();
      expect(refuseBoth({ parse: ['everyone'], [kind]: ['1'] })).toBeUndefined();
    }
    expect(refuseBoth(null)).toBeUndefined();
  });
});
