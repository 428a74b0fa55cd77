/** For specs: spans that are kept instead of sent. A `traceparent` can be any text here. */

import type { Spans } from './spans.ts';

export interface KeptSpan {
  readonly name: string;
  /** The span it belongs to or follows. */
  readonly of: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

/** @returns the spans, and those that have ended, in that order */
export const keptSpans = (): { readonly spans: Spans; readonly ended: readonly KeptSpan[] } => {
  const ended: KeptSpan[] = [];
  const begin = (name: string, of: string | null, about: object) => ({
    traceparent: `${name} ${ended.length}`,
    end: (more: object = {}, failed = false) =>
      void ended.push({ name, of, attributes: { ...about, ...more }, failed }),
  });
  return {
    ended,
    spans: {
      request: (caller, about) => begin('request', typeof caller === 'string' ? caller : null, about),
      step: (name, { traceparent }, about) => (traceparent === null ? undefined : begin(name, traceparent, about)),
      behind: async (name, events, about, work) => {
        const traced = events.filter(({ traceparent }) => traceparent !== null);
        const begun = traced.map(({ traceparent }) => begin(name, traceparent, about));
        return work().finally(() => begun.map((span) => span.end()));
      },
      close: async () => {},
    },
  };
};
