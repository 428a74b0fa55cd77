/** The OpenAPI document as one readable page: plain HTML without external resources. */
import type { JsonSchema, OpenApi, Operation } from './openapi.ts';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Words of a description, in which names of fields stand between backquotes. */
const described = (words: string): string => escaped(words).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const range = (low: number | undefined, high: number | undefined, unit: string): string =>
  low === undefined && high === undefined ? '' : ` ${low ?? ''} to ${high ?? ''}${unit}`;

/** A schema in a few words. */
const inWords = (schema: JsonSchema): string => {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(' or ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(inWords).join(' or ');
  if (schema.allOf !== undefined) return schema.allOf.map(inWords).join(' and ');
  if (schema.type === 'array') return `list of ${inWords(schema.items ?? {})}`;
  if (schema.description === 'Snowflake') return 'snowflake';
  if (schema.type === 'string') return `string${range(schema.minLength, schema.maxLength, ' characters')}`;
  if (schema.properties !== undefined) {
    return `{${Object.entries(schema.properties)
      .map(([name, one]) => `${name}: ${inWords(one)}`)
      .join(', ')}}`;
  }
  return `${schema.type ?? schema.description ?? 'anything'}${range(schema.minimum, schema.maximum, '')}`;
};

interface Field {
  readonly name: string;
  readonly where: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

const fieldsOf = (operation: Operation): Field[] => {
  const body = operation.requestBody?.content['application/json'].schema;
  // A body that is a list has no names.
  const ofBody =
    body?.type === 'array'
      ? [{ name: '[]', where: 'body', required: true, schema: body }]
      : Object.entries(body?.properties ?? {}).map(([name, schema]) => ({
          name,
          where: 'body',
          required: body?.required?.includes(name) ?? false,
          schema,
        }));
  return [...operation.parameters.map((one) => ({ ...one, where: one.in })), ...ofBody];
};

const fieldRow = ({ name, where, required, schema }: Field): string =>
  `<tr><td><code>${escaped(name)}</code></td><td>${where}</td><td>${required ? 'required' : ''}</td><td>${escaped(inWords(schema))}</td></tr>`;

const sentence = (words: string): string => (words.endsWith('.') ? words : `${words}.`);

const section = (method: string, path: string, operation: Operation): string => {
  const fields = fieldsOf(operation);
  const table = fields.length === 0 ? '' : `<table>${fields.map(fieldRow).join('')}</table>`;
  const who = operation.security.length === 0 ? 'Without a token.' : (operation.description ?? 'With a token.');
  return `<section id="${operation.operationId}"><h3><b>${method.toUpperCase()}</b> <code>${escaped(path)}</code></h3>
<p>${described(sentence(operation.summary))} ${who}</p>${table}<p>Answers: ${described(sentence(Object.values(operation.responses)[0]!.description))}</p></section>`;
};

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
section{border-top:1px solid #ddd;padding:.5rem 0}h3{margin:.5rem 0}b{color:#06c}
table{border-collapse:collapse;font-size:.9rem}td{border:1px solid #ddd;padding:.2rem .6rem;vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}section,td{border-color:#444}b,a{color:#6af}}`;

export const docsPage = (document: OpenApi): string => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const chapters = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag));
    return `<h2 id="${escaped(tag)}">${escaped(tag)}</h2>${own.map((one) => section(one.method, one.path, one.operation)).join('\n')}`;
  });
  const contents = tags.map((tag) => `<a href="#${escaped(tag)}">${escaped(tag)}</a>`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${document.info.title}: HTTP API</title><style>${STYLE}</style></head><body>
<h1>${document.info.title}: HTTP API</h1><p>${escaped(document.info.description)}
Every path stands below ${document.servers.map((server) => `<code>${escaped(server.url)}</code>`).join(' and ')}.
A person's token is sent as <code>Authorization: Bearer &lt;token&gt;</code>, a bot's as <code>Authorization: Bot &lt;token&gt;</code>.
Errors are <code>{code, message, errors?}</code>. <a href="/openapi.json">OpenAPI document</a>.</p>
<p>${contents.join(', ')}</p>
${chapters.join('\n')}</body></html>`;
};
