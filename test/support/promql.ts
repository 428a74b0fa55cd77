/** Names of metrics: those that a PromQL query uses, and those that a server exports. */

/** PromQL words in the place of a metric. Functions are recognised by their bracket. */
const WORDS = new Set(
  (
    'sum min max avg count group stddev stdvar topk bottomk quantile count_values ' +
    'by without on ignoring group_left group_right and or unless offset bool atan2 inf nan'
  ).split(' '),
);

/**
 * @param query PromQL with or without Grafana's variables, or Grafana's `label_values(query, label)`
 * @returns in order of first mention; `__name__`, which nobody exports, where a matcher selects by name
 */
export const namesIn = (query: string): string[] => {
  const bare = query
    .replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#.*/g, ' ')
    .replace(/^\s*label_values\((.*),\s*\w+\s*\)\s*$/s, '$1')
    .replace(/\{([^}]*)\}/g, (_, matchers: string) => (/\b__name__\b/.test(matchers) ? ' __name__ ' : ' '))
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/gi, ' ')
    .replace(/(?<![\w:])\d[\w.]*/g, ' ');
  const names = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?![\w:]|\s*\()/g)].map(([name]) => name);
  return [...new Set(names.filter((name) => !WORDS.has(name.toLowerCase())))];
};

/** @param metrics the answer of `/metrics`. A labelled metric is declared before it has a sample. */
export const exportedNames = (metrics: string): string[] =>
  [...metrics.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) => {
    if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`];
    return type === 'summary' ? [name!, `${name}_sum`, `${name}_count`] : [name!];
  });
