/** Generates the client's types and the page of op 100 from the commands. */

import type { CommandBucket } from '../../commands/limits.ts';
import type { CommandShape } from '../../commands/port.ts';
import { type JsonSchema, jsonSchema } from '../../http/openapi.ts';
import { limits } from '../../schemas/settings.ts';

interface Field {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

/** The fields of an op 100. Its `type` is that of the command, so a field of that name is `kind` there. */
const fieldsOf = ({ params, body }: CommandShape): Field[] =>
  [params, body].flatMap((codec) => {
    const { properties = {}, required = [] } = codec === undefined ? ({} as JsonSchema) : jsonSchema(codec);
    return Object.entries(properties).map(([name, schema]) => {
      return { name: name === 'type' ? 'kind' : name, schema, required: required.includes(name) };
    });
  });

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value));

const typeOf = (schema: JsonSchema, indent: string): string => {
  const { type, anyOf, items, properties } = schema;
  if ('const' in schema) return literal(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ');
  if (anyOf !== undefined) return anyOf.map((one) => typeOf(one, indent)).join(' | ');
  if (items !== undefined) {
    const of = typeOf(items, indent);
    return `readonly ${items.anyOf === undefined && items.enum === undefined ? of : `(${of})`}[]`;
  }
  if (properties !== undefined) {
    const required = schema.required ?? [];
    const lines = Object.entries(properties).map(([name, one]) => member(name, one, required.includes(name), indent));
    return `{\n${lines.join('')}${indent}}`;
  }
  if (type === 'object') return 'Readonly<Record<string, unknown>>';
  if (type === 'integer') return 'number';
  return type ?? 'string';
};

const member = (name: string, schema: JsonSchema, required: boolean, indent: string): string =>
  `${indent}  readonly ${name}${required ? '' : '?'}: ${typeOf(schema, `${indent}  `)};\n`;

/** The text of `client/command-types.ts`, as the formatter leaves it. */
export const commandTypes = (commands: readonly CommandShape[]): string => {
  const entries = commands.map((command) => {
    const fields = fieldsOf(command).map(({ name, schema, required }) => member(name, schema, required, '  '));
    return `  /** ${command.summary} */\n  readonly '${command.type}': {\n${fields.join('')}  };\n`;
  });
  return `/** The fields of each command. Made from commands/features by \`npm run generate\`: change it there. */
export interface CommandFields {
${entries.join('')}}
`;
};

const words = ({
  type,
  anyOf,
  items,
  maxItems,
  minItems,
  properties,
  minimum,
  maximum,
  minLength,
  maxLength,
  ...schema
}: JsonSchema): string => {
  if ('const' in schema) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${JSON.stringify(one)}\``).join(' or ');
  if (anyOf !== undefined)
    return anyOf
      .filter((one) => one.type !== 'null')
      .map(words)
      .join(' or ');
  if (items !== undefined)
    return `list of ${maxItems === undefined ? '' : `${minItems === undefined ? 'up to' : `${minItems} to`} ${maxItems} `}${plural(items)}`;
  if (properties !== undefined)
    return `object of ${Object.keys(properties)
      .map((name) => `\`${name}\``)
      .join(', ')}`;
  if (type === 'integer') {
    const safe = maximum === Number.MAX_SAFE_INTEGER;
    return safe ? 'integer' : `integer from ${minimum} to ${maximum}`;
  }
  if (maxLength !== undefined) return `${minLength} to ${maxLength} characters`;
  if (schema.description === 'Snowflake') return 'snowflake';
  return type ?? schema.description ?? 'anything';
};

/** An object in a list is named without its fields. */
const plural = (items: JsonSchema): string => (items.properties === undefined ? `${words(items)}s` : 'objects');

/** One section per command: what it does, its fields, its limit, its answer, its route. */
export const commandPage = (commands: readonly CommandShape[]): string =>
  commands
    .map((command) => {
      const { type, summary, route, limit } = command;
      const rows = fieldsOf(command).map(
        ({ name, schema, required }) => `| \`${name}\` | ${required ? 'yes' : 'no'} | ${words(schema)} |`,
      );
      const table = ['| field | needed | what it is |', '| --- | --- | --- |', ...rows].join('\n');
      const answers =
        route.status === 204 ? '`null`' : route.answers.startsWith('{') ? `\`${route.answers}\`` : route.answers;
      const facts = [
        `Over HTTP: \`${route.method} ${route.path}\`, ${route.status}.`,
        `Answers: ${answers.replace(/\.$/, '')}.`,
        limit === undefined ? '' : `Limit of its own: \`${limits[limit.bucket as CommandBucket].variable}\`.`,
      ];
      const described = summary.replaceAll(/\b[a-z]+_[a-z_]+\b/g, (name) => `\`${name}\``);
      return `### ${type}\n\n${described}\n${facts.filter(Boolean).join(' ')}\n\n${rows.length === 0 ? 'No fields.' : table}`;
    })
    .join('\n\n');
