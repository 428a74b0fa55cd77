/** The OpenAPI 3.1 document, generated from the routes and their codecs. */
import type { Access, Route } from '../../schemas/http/route.ts';
import { type JsonSchema, jsonSchema } from './json-schema.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly schema: JsonSchema;
}

interface Response {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema | { readonly $ref: string } }>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: JsonSchema } } };
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

const errorResponse = (description: string): Response => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
});

const REFUSALS: Readonly<Record<Access, Readonly<Record<string, Response>>>> = {
  public: {},
  user: { '401': errorResponse('No good token') },
  administrator: { '401': errorResponse('No good token'), '403': errorResponse('Not an administrator') },
};

const operation = (route: Route): Operation => ({
  operationId: `${route.method.toLowerCase()}${route.path.replace(/[^a-zA-Z0-9]+(.)?/g, (_, c: string | undefined) => c?.toUpperCase() ?? '')}`,
  summary: route.summary,
  tags: [route.path.split('/')[1]!],
  security: route.access === 'public' ? [] : [{ person: [] }, { bot: [] }],
  ...(route.access === 'administrator' ? { description: 'For administrators of the instance.' } : {}),
  parameters: [...pathParameters(route), ...queryParameters(route)],
  ...(route.body === undefined
    ? {}
    : { requestBody: { content: { 'application/json': { schema: jsonSchema(route.body) } } } }),
  responses: {
    '2XX': { description: route.answers },
    '400': errorResponse('What was sent does not fit; `errors` says where'),
    ...REFUSALS[route.access],
    '404': errorResponse('It does not exist, or it is not for the asker to see'),
    '429': errorResponse('Too many; `retry_after` is in seconds'),
  },
});

const components = {
  securitySchemes: {
    person: { type: 'http', scheme: 'bearer', description: 'The token of a login' },
    bot: { type: 'apiKey', in: 'header', name: 'Authorization', description: '`Bot <token>`' },
  },
  schemas: {
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

/** @param publicUrl where clients reach the server; `null`: where the document came from */
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
