import { either } from 'fp-ts';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { commands } from '../commands/features/index.ts';
import { jsonSchema } from '../http/openapi.ts';
import { decode, list, optional, Snowflake, text, wordOf } from './codecs.ts';
import { type FieldErrors, parleyError } from './errors.ts';

const codecOf = (type: string) => commands.find((command) => command.type === type)!.codec;

const errorsOf = (codec: t.Mixed, value: unknown): FieldErrors => {
  const decoded = decode(codec as t.Type<unknown, unknown, unknown>, value);
  if (either.isRight(decoded)) throw new Error('decoded, against expectation');
  const { code, status, errors } = decoded.left;
  expect({ code, status }).toEqual({ code: 50035, status: 400 });
  return errors!;
};

const required = { _errors: [{ code: 'BASE_TYPE_REQUIRED', message: 'This field is required' }] };
const invalid = (message: string | RegExp) => ({
  _errors: [{ code: 'BASE_TYPE_INVALID', message: expect.stringMatching(message) }],
});

describe('a decoding error', () => {
  it('names each wrong field, the problem and what is accepted', () => {
    const codec = t.type({ name: text(2, 5, 'name'), id: Snowflake, other: t.number });
    expect(errorsOf(codec, { name: 'x', id: 'abc' })).toEqual({
      name: { _errors: [{ code: 'BASE_TYPE_BAD_LENGTH', message: 'Must be between 2 and 5 in length.' }] },
      id: invalid('Must be a snowflake'),
      other: required,
    });
  });

  it('says of each field that is missing that it is required, whatever it has to be', () => {
    for (const { type, codec } of commands) {
      const decoded = decode(codec, {});
      if (either.isRight(decoded)) continue;
      const fields = Object.keys(decoded.left.errors!);
      expect(decoded.left.errors, type).toEqual(Object.fromEntries(fields.map((field) => [field, required])));
    }
    expect(
      errorsOf(t.type({ text: text(1, 5), id: Snowflake, word: wordOf('a'), many: list(t.string, 3) }), {}),
    ).toEqual({
      ...{ text: required, id: required, word: required, many: required },
    });
  });

  it('says the same of each that is null, in whatever depth, and never of one that may be left out', () => {
    for (const { type, codec } of commands) {
      const fields = Object.keys(jsonSchema(codec).properties ?? {});
      const missing = decode(codec, {});
      const decoded = decode(codec, Object.fromEntries(fields.map((field) => [field, null])));
      expect(either.isLeft(decoded) && decoded.left.errors, type).toEqual(
        either.isLeft(missing) && missing.left.errors,
      );
    }
    const inner = t.type({
      id: Snowflake,
      either: t.union([t.string, t.number]),
      all: t.intersection([t.type({ a: t.string }), t.type({ b: t.string })]),
    });
    const codec = t.type({ list: t.array(inner), maybe: t.partial({ word: wordOf('a') }) });
    const nulls = { id: null, either: null, all: null };
    expect(errorsOf(codec, { list: [nulls, null], maybe: { word: null } })).toEqual({
      list: { 0: { id: required, either: required, all: required }, 1: required },
      maybe: { word: { _errors: [{ code: 'BASE_TYPE_CHOICES', message: "Value must be one of ('a')." }] } },
    });
    expect(errorsOf(inner, null)).toEqual(invalid('Must be an object.'));
  });

  it('nests by field and index', () => {
    const codec = t.type({ outer: t.array(t.type({ inner: t.type({ n: t.number }) })) });
    expect(errorsOf(codec, { outer: [{ inner: { n: 1 } }, { inner: { n: 'x' } }, {}] })).toEqual({
      outer: { 1: { inner: { n: invalid('Must be a number.') } }, 2: { inner: required } },
    });
  });

  it('leaves out steps that only name a part of an intersection or union', () => {
    const codec = t.intersection([t.type({ a: t.string }), t.partial({ b: optional(t.type({ c: t.number })) })]);
    expect(errorsOf(codec, { b: { c: 'x' } })).toEqual({ a: required, b: { c: invalid('Must be a number.') } });
  });

  it('reports one complaint for a union, about the form that was meant', () => {
    const codec = t.type({ nonce: t.union([text(0, 3, 'nonce'), t.number]), maybe: optional(t.literal(0)) });
    expect(errorsOf(codec, { nonce: 'long', maybe: 5 })).toEqual({
      nonce: { _errors: [{ code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 3 or fewer in length.' }] },
      maybe: invalid('Must be 0.'),
    });
  });

  it('does not also say that an optional field must be null', () => {
    const codec = t.type({ reply: optional(t.type({ id: Snowflake })) });
    expect(errorsOf(codec, { reply: { id: -7 } })).toEqual({ reply: { id: invalid('Must be a snowflake') } });
    expect(errorsOf(codec, { reply: 'x' })).toEqual({ reply: invalid('Must be an object.') });
  });

  it('names the field inside an optional part', () => {
    const send = { channel_id: '1', message_reference: { message_id: -7, fail_if_not_exists: 'x' } };
    expect(errorsOf(codecOf('message.send'), send)).toEqual({
      message_reference: {
        message_id: invalid('Must be a snowflake'),
        fail_if_not_exists: invalid('Must be true or false.'),
      },
    });
    expect(errorsOf(codecOf('message.send'), { channel_id: '1', nonce: {} })).toEqual({
      nonce: invalid('Must be a string.'),
    });
  });

  it('says in words what is accepted', () => {
    const codec = t.type({
      object: optional(t.intersection([t.type({ a: t.string }), t.partial({ b: t.string })])),
      record: t.UnknownRecord,
      list: t.array(t.string),
      kind: t.union([t.literal(0), t.literal('one')]),
      another: optional(t.union([t.literal(60), t.literal(1440)])),
      key: t.keyof({ true: null, false: null }),
      text: t.string,
    });
    expect(errorsOf(codec, { object: 'x', record: 1, list: {}, kind: 5, another: 61, key: 'x', text: 7 })).toEqual({
      object: invalid(/^Must be an object\.$/),
      record: invalid(/^Must be an object\.$/),
      list: invalid(/^Must be a list\.$/),
      kind: invalid(/^Must be 0 or "one"\.$/),
      another: invalid(/^Must be 60 or 1440\.$/),
      key: invalid(/^Must be true or false\.$/),
      text: invalid(/^Must be a string\.$/),
    });
  });

  it('never names a type of the code, in whatever field of a command', () => {
    for (const { type, codec } of commands) {
      for (const wrong of [[[]], 'x', true, { a: [] }]) {
        const fields = Object.keys(jsonSchema(codec).properties ?? {});
        const decoded = decode(codec, Object.fromEntries(fields.map((name) => [name, wrong])));
        expect(JSON.stringify(decoded), type).not.toMatch(/Record|Partial|Array<|boolean|number\b(?! between)/);
      }
    }
  });

  it('is about the body when the body is not an object', () => {
    for (const body of [null, 'x', 7, []]) {
      const errors = errorsOf(codecOf('channel.create'), body);
      expect(Object.keys(errors)).toContain('_errors');
    }
    expect(errorsOf(t.type({ a: t.string }), undefined)).toEqual(required);
  });

  it('treats names of prototype properties like any other name', () => {
    const codec = t.record(t.string, t.number);
    const body: unknown = JSON.parse('{"__proto__": "x", "constructor": "x", "toString": "x", "_errors": "x"}');
    const errors = errorsOf(codec, body);
    expect(Object.keys(errors).toSorted()).toEqual(['__proto__', '_errors', 'constructor', 'toString']);
    for (const name of Object.keys(errors))
      expect(Object.getOwnPropertyDescriptor(errors, name)?.value).toEqual(invalid('Must be a number.'));
    expect(Object.getPrototypeOf(errors)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)._errors).toBeUndefined();
  });

  it.each([
    ['message.send', { channel_id: '1', nonce: 'a\0' }, 'nonce'],
    ['guild.create', { name: 'a\0b' }, 'name'],
    ['application.create', { name: 'ab\ud800' }, 'name'],
    ['channel.create', { guild_id: '1', name: 'a', topic: '\udc00' }, 'topic'],
    [
      'channel.create',
      { guild_id: '1', name: 'a', permission_overwrites: [{ id: '\0', type: 0, allow: '0', deny: '0' }] },
      'permission_overwrites',
    ],
    ['reaction.add', { channel_id: '1', message_id: '1', emoji: '👍\0' }, 'emoji'],
    ['guild.join', { code: 'ab\0' }, 'code'],
  ])('refuses text in %s that no store gives back: %j', (type, fields, wrong) => {
    expect(Object.keys(errorsOf(codecOf(type), fields))).toEqual([wrong]);
  });

  it('lets any text into what is sealed', () => {
    const fields = { channel_id: '1', content: '\0\ud800' };
    expect(decode(codecOf('message.send'), fields)).toEqual(either.right(fields));
  });

  it('results from an empty body for every command that is about something', () => {
    // One changes the caller, and nothing where nothing is given; the other checks that one of two fields is.
    const about = commands.filter(({ type }) => type !== 'user.edit' && type !== 'dm.create');
    for (const { codec } of about) expect(Object.keys(errorsOf(codec, {})).length).toBeGreaterThan(0);
  });
});

describe('decoding', () => {
  it('returns a value that fits', () => {
    expect(decode(t.type({ a: t.string }), { a: 'x' })).toEqual(either.right({ a: 'x' }));
    expect(parleyError('invalidForm')).not.toHaveProperty('errors');
  });
});
