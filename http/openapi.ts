/** The OpenAPI 3.1 document, generated from the routes and their codecs. */
import { either } from 'fp-ts';
import * as t from 'io-ts';
import { ListType, OptionalType, SizedType } from '../schemas/codecs.ts';
import { type RequiredCaller, type Route, takesKey } from '../schemas/http/route.ts';
import { SHAPES } from '../schemas/http/shapes.ts';
import { MAX_REASON } from '../schemas/reason.ts';

/** JSON Schema (2020-12, as OpenAPI 3.1 has it) of an io-ts codec. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly format?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly maxItems?: number;
  readonly minItems?: number;
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

/** Our own codecs are recognised by name: `Snowflake`, `integer(1-100)`, `content(0-2000)`. */
const byName = (name: string): JsonSchema => {
  if (name === 'BitSet') return { type: 'string', pattern: '^\\d{1,20}$', description: 'Bit set' };
  if (name === 'Time') return { type: 'string', format: 'date-time' };
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

/** Objects are merged into one, which is easier to read than `allOf`. */
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

const nameOf: ReadonlyMap<t.Any, string> = new Map(Object.entries(SHAPES).map(([name, codec]) => [codec, name]));

/** By its name, where it has one among the components. */
export const jsonSchema = (codec: t.Any): JsonSchema => {
  const name = nameOf.get(codec);
  return name === undefined ? schemaOf(codec) : { $ref: `#/components/schemas/${name}` };
};

const schemaOf = (codec: t.Any): JsonSchema => {
  if (codec instanceof t.InterfaceType) return objectOf(codec.props, true);
  if (codec instanceof t.PartialType) return objectOf(codec.props, false);
  if (codec instanceof t.IntersectionType) return intersectionOf(codec.types);
  if (codec instanceof t.UnionType) return unionOf(codec.types);
  if (codec instanceof OptionalType) return { anyOf: [jsonSchema(codec.codec), { type: 'null' }] };
  if (codec instanceof t.LiteralType) return { const: codec.value };
  if (codec instanceof t.KeyofType) return { type: 'string', enum: Object.keys(codec.keys) };
  if (codec instanceof SizedType) return jsonSchema(codec.codec);
  if (codec instanceof ListType) {
    const least = codec.min === 0 ? {} : { minItems: codec.min };
    return { type: 'array', items: jsonSchema(codec.type), ...least, maxItems: codec.max };
  }
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

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

interface Reference {
  readonly $ref: string;
}

interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Reference>>;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: { readonly 'application/json': { readonly schema: JsonSchema } };
  };
  readonly responses: Readonly<Record<string, Response>>;
}

export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: unknown;
}

const PARAMETER = /:(\w+)/g;
const parameterNames = (path: string): string[] => [...path.matchAll(PARAMETER)].map((match) => match[1]!);

const pathParameters = (route: Route): Parameter[] => {
  const known = route.params === undefined ? {} : (jsonSchema(route.params).properties ?? {});
  return parameterNames(route.path).map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: known[name] ?? { type: 'string' },
  }));
};

const queryParameters = (route: Route): Parameter[] => {
  if (route.query === undefined) return [];
  const schema = jsonSchema(route.query);
  return Object.entries(schema.properties ?? {}).map(([name, one]) => ({
    name,
    in: 'query',
    required: schema.required?.includes(name) ?? false,
    schema: one,
  }));
};

const IDEMPOTENCY_KEY: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'An id of your own for this request. Repeated within ten minutes, it is carried out once.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const REASON: Parameter = {
  name: 'X-Audit-Log-Reason',
  in: 'header',
  required: false,
  description: `Why, for the audit log, escaped with percent signs: ${MAX_REASON} characters at most. Kept with acts that it names.`,
  schema: { type: 'string' },
};

const headerParameters = (route: Route): Parameter[] => [
  ...(takesKey(route) ? [IDEMPOTENCY_KEY] : []),
  ...(route.isCommand === true ? [REASON] : []),
];

const headers = (...names: readonly string[]): Pick<Response, 'headers'> => ({
  headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
});

/** Of the command's own limit; absent where that is off. */
const LIMIT = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-RateLimit-Reset-After',
  'X-RateLimit-Bucket',
] as const;

const errorResponse = (description: string, ...sent: readonly string[]): Response => ({
  description,
  ...(sent.length === 0 ? {} : headers(...sent)),
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
});

const REFUSALS: Readonly<Record<RequiredCaller, Readonly<Record<string, Response>>>> = {
  public: {},
  user: { '401': errorResponse('No good token') },
  administrator: { '401': errorResponse('No good token'), '403': errorResponse('Not an administrator') },
};

/** A request without a body is read as one without fields. */
const requestBody = ({ body, needsBody = false }: Route): Pick<Operation, 'requestBody'> => {
  if (body === undefined) return {};
  const required = needsBody || either.isLeft(body.decode({}));
  return { requestBody: { required, content: { 'application/json': { schema: jsonSchema(body) } } } };
};

const LINES = { type: 'string', description: 'One JSON object a line' } as const;

/** A command that is stored answers 202 where what it made cannot be read now. */
const success = ({
  answer = t.unknown,
  answers: description,
  status = 200,
  isCommand,
}: Route): Operation['responses'] => {
  const limits = isCommand === true ? headers(...LIMIT) : {};
  if (answer === 'nothing') return { '204': { description, ...limits } };
  const content =
    answer === 'lines'
      ? { 'application/x-ndjson': { schema: LINES }, 'text/event-stream': { schema: { type: 'string' } } }
      : { 'application/json': { schema: jsonSchema(answer) } };
  const late: Response = { description: 'Stored; what it made cannot be shown now', ...limits };
  return { [status]: { description, ...limits, content }, ...(isCommand === true ? { '202': late } : {}) };
};

const operation = (route: Route): Operation => ({
  operationId: `${route.method.toLowerCase()}${route.path.replace(/[^a-zA-Z0-9]+(.)?/g, (_, c: string | undefined) => c?.toUpperCase() ?? '')}`,
  summary: route.summary,
  tags: [route.path.split('/')[1]!],
  security: route.access === 'public' ? [] : [{ person: [] }, { bot: [] }],
  ...(route.access === 'administrator' ? { description: 'For administrators of the server.' } : {}),
  parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
  ...requestBody(route),
  responses: {
    ...success(route),
    '400': errorResponse('What was sent does not fit; `errors` says where'),
    ...REFUSALS[route.access],
    '404': errorResponse('It does not exist, or it is not for the asker to see'),
    '429': errorResponse(
      'Too many; `retry_after` is in seconds',
      ...['Retry-After', ...LIMIT, 'X-RateLimit-Scope', 'X-RateLimit-Global'],
    ),
    '503': errorResponse(
      'Not now: a store cannot be reached or takes nothing; `retry_after` is in seconds',
      'Retry-After',
    ),
  },
});

const header = (description: string, schema: JsonSchema) => ({ description, schema });

const components = {
  securitySchemes: {
    person: { type: 'http', scheme: 'bearer', description: 'The token of a login' },
    bot: { type: 'apiKey', in: 'header', name: 'Authorization', description: '`Bot <token>`' },
  },
  headers: {
    'Retry-After': header('Whole seconds', { type: 'integer' }),
    'X-RateLimit-Limit': header('How many the limit allows', { type: 'integer' }),
    'X-RateLimit-Remaining': header('How many are left', { type: 'integer' }),
    'X-RateLimit-Reset': header('When all are there again, in seconds since 1970', { type: 'number' }),
    'X-RateLimit-Reset-After': header('Seconds until then', { type: 'number' }),
    'X-RateLimit-Bucket': header('Name of the limit', { type: 'string' }),
    'X-RateLimit-Scope': header('What it limits: one kind of request, or everything', { enum: ['user', 'global'] }),
    'X-RateLimit-Global': header('Sent where it limits everything', { const: 'true' }),
  },
  schemas: {
    ...Object.fromEntries(Object.entries(SHAPES).map(([name, codec]) => [name, schemaOf(codec)])),
    Error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'integer' },
        message: { type: 'string' },
        errors: { type: 'object', description: 'Nested like the body, to `_errors: [{code, message}]`' },
        retry_after: { type: 'number', description: 'Seconds' },
        global: { type: 'boolean' },
      },
    },
  },
};

/** @param publicUrl where clients reach the server; with `null`, the address that served the document */
export const openApi = (routes: readonly Route[], publicUrl: string | null): OpenApi => {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    const path = route.path.replace(PARAMETER, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Parley',
      version: '1',
      description: "A compatible subset of Discord's REST API v10. Ids are snowflakes, written as strings.",
    },
    servers: ['/v1', '/api/v10'].map((mount) => ({ url: `${publicUrl ?? ''}${mount}` })),
    paths,
    components,
  };
};
