import { describe, expect, it } from 'vitest';
import { docsPage } from './docs-page.ts';

describe('the page of the API', () => {
  const schema = { type: 'array', items: { type: 'object', properties: { id: { type: 'string' } } } };
  const page = docsPage({
    ...{ openapi: '3.1.0', info: { title: 'Parley', version: '1', description: '' }, servers: [{ url: '/v1' }] },
    paths: {
      '/things': {
        patch: {
          ...{
            operationId: 'patchThings',
            summary: 'Move `things` <in>',
            tags: ['things'],
            security: [],
            parameters: [],
          },
          requestBody: { required: true, content: { 'application/json': { schema } } },
          responses: { '200': { description: 'a list of `{id}`' } },
        },
      },
    },
    components: {},
  });

  it('shows what a body that is a list holds', () => {
    expect(page).toContain('<code>[]</code></td><td>body</td><td>required</td><td>list of {id: string}</td>');
  });

  it('sets off the names in a description', () => {
    expect(page).toContain('<p>Move <code>things</code> &lt;in&gt;. Without a token.</p>');
    expect(page).toContain('<p>Answers: a list of <code>{id}</code>.</p>');
  });
});
