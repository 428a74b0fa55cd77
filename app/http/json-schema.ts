/** JSON Schema (2020-12, as OpenAPI 3.1 has it) of an io-ts codec. */
import * as t from 'io-ts';
import { OptionalType } from '../../schemas/primitives.ts';

export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly description?: string;
}

const INTEGER = /^integer\((-?\d+)-(-?\d+)\)$/;
const TEXT = /^(.*)\((\d+)-(\d+)\)$/;

/** Codecs of our own are known by their names: `Snowflake`, `integer(1-100)`, `content(0-2000)`. */
const byName = (name: string): JsonSchema => {
  if (name === 'Snowflake') return { type: 'string', pattern: '^\\d{1,19}$', description: 'Snowflake' };
  const integer = INTEGER.exec(name);
  if (integer !== null) return { type: 'integer', minimum: Number(integer[1]), maximum: Number(integer[2]) };
  const text = TEXT.exec(name);
  if (text !== null) {
    const described = text[1] === 'string' ? {} : { description: text[1]! };
    return { type: 'string', minLength: Number(text[2]), maxLength: Number(text[3]), ...described };
  }
  return { description: name };
};

const isOptional = (codec: t.Any): boolean =>
  codec instanceof t.UndefinedType ||
  codec instanceof t.UnknownType ||
  codec instanceof OptionalType ||
  (codec instanceof t.UnionType && codec.types.some(isOptional));

const objectOf = (props: t.Props, everyRequired: boolean): JsonSchema => {
  const required = everyRequired ? Object.keys(props).filter((key) => !isOptional(props[key]!)) : [];
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(props).map(([key, codec]) => [key, jsonSchema(codec)])),
    ...(required.length === 0 ? {} : { required }),
  };
};

/** Objects are merged into one, which reads better than `allOf`. */
const intersectionOf = (types: readonly t.Any[]): JsonSchema => {
  const parts = types.map(jsonSchema);
  if (!parts.every((part) => part.properties !== undefined)) return { allOf: parts };
  const required = parts.flatMap((part) => part.required ?? []);
  return {
    type: 'object',
    properties: Object.assign({}, ...parts.map((part) => part.properties)),
    ...(required.length === 0 ? {} : { required }),
  };
};

const unionOf = (types: readonly t.Any[]): JsonSchema => {
  const given = types.filter((one) => !(one instanceof t.UndefinedType));
  if (given.length === 1) return jsonSchema(given[0]!);
  if (given.every((one) => one instanceof t.LiteralType)) return { enum: given.map((one) => one.value) };
  return { anyOf: given.map(jsonSchema) };
};

export const jsonSchema = (codec: t.Any): JsonSchema => {
  if (codec instanceof t.InterfaceType) return objectOf(codec.props, true);
  if (codec instanceof t.PartialType) return objectOf(codec.props, false);
  if (codec instanceof t.IntersectionType) return intersectionOf(codec.types);
  if (codec instanceof t.UnionType) return unionOf(codec.types);
  if (codec instanceof OptionalType) return { anyOf: [jsonSchema(codec.codec), { type: 'null' }] };
  if (codec instanceof t.LiteralType) return { const: codec.value };
  if (codec instanceof t.KeyofType) return { type: 'string', enum: Object.keys(codec.keys) };
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType)
    return { type: 'array', items: jsonSchema(codec.type) };
  if (codec instanceof t.DictionaryType) return { type: 'object', additionalProperties: jsonSchema(codec.codomain) };
  if (codec instanceof t.ReadonlyType || codec instanceof t.ExactType || codec instanceof t.RefinementType) {
    return jsonSchema(codec.type);
  }
  if (codec instanceof t.AnyDictionaryType) return { type: 'object' };
  if (codec instanceof t.StringType) return { type: 'string' };
  if (codec instanceof t.NumberType) return { type: 'number' };
  if (codec instanceof t.BooleanType) return { type: 'boolean' };
  if (codec instanceof t.NullType) return { type: 'null' };
  if (codec instanceof t.UnknownType) return {};
  return byName(codec.name);
};
