import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { commands } from '../commands/features/index.ts';
import { integer, integerText, optional, Snowflake, text } from '../schemas/codecs.ts';
import { type JsonSchema, jsonSchema } from './openapi.ts';

describe('the JSON schema of a codec', () => {
  it.each<[string, t.Any, JsonSchema]>([
    ['strings', t.string, { type: 'string' }],
    ['our texts', text(1, 9), { type: 'string', minLength: 1, maxLength: 9 }],
    ['our named texts', text(1, 9, 'name'), { type: 'string', minLength: 1, maxLength: 9, description: 'name' }],
    ['our integers', integer(-5, 9), { type: 'integer', minimum: -5, maximum: 9 }],
    ['integers in query strings', integerText(1, 100), { type: 'integer', minimum: 1, maximum: 100 }],
    ['snowflakes', Snowflake, { type: 'string', pattern: '^\\d{1,19}$', description: 'Snowflake' }],
    ['literals', t.literal(0), { const: 0 }],
    ['choices of literals', t.union([t.literal(0), t.literal(1)]), { enum: [0, 1] }],
    ['choices of words', t.keyof({ a: null, b: null }), { type: 'string', enum: ['a', 'b'] }],
    ['lists', t.array(t.boolean), { type: 'array', items: { type: 'boolean' } }],
    ['maps', t.record(t.string, t.number), { type: 'object', additionalProperties: { type: 'number' } }],
    ['any object', t.UnknownRecord, { type: 'object' }],
    ['anything', t.unknown, {}],
    ['what may be null', t.union([t.string, t.null]), { anyOf: [{ type: 'string' }, { type: 'null' }] }],
    ['what may be left out', t.union([t.string, t.undefined]), { type: 'string' }],
    ['read-only lists', t.readonlyArray(t.string), { type: 'array', items: { type: 'string' } }],
    [
      'codecs of unknown form by their name',
      new t.Type('ISO 8601 time', t.string.is, t.string.validate, String),
      {
        description: 'ISO 8601 time',
      },
    ],
  ])('describes %s', (_, codec, schema) => {
    expect(jsonSchema(codec)).toEqual(schema);
  });

  it('describes objects and their required fields', () => {
    const codec = t.intersection([t.type({ a: t.string, b: optional(t.number) }), t.partial({ c: t.string })]);
    expect(jsonSchema(codec)).toEqual({
      type: 'object',
      required: ['a'],
      properties: {
        a: { type: 'string' },
        b: { anyOf: [{ type: 'number' }, { type: 'null' }] },
        c: { type: 'string' },
      },
    });
  });

  it('keeps an intersection of other types than objects', () => {
    expect(jsonSchema(t.intersection([t.UnknownRecord, t.type({ a: t.string })])).allOf).toHaveLength(2);
  });

  it('describes every command as an object', () => {
    const codecs = commands.flatMap(({ params, body }) => [params, body]).filter((codec) => codec !== undefined);
    for (const codec of codecs) expect(jsonSchema(codec)).toMatchObject({ type: 'object' });
  });
});
