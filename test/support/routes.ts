/** Every route that the server describes. */

export interface RouteShape {
  readonly method: string;
  /** Below the mount point, with `{name}` for parameters. */
  readonly path: string;
  readonly parameters: readonly string[];
  readonly takesBody: boolean;
  readonly public: boolean;
}

interface Operation {
  readonly requestBody?: unknown;
  readonly security?: readonly unknown[];
}

/** Reads the routes from /openapi.json, so that a route no test names is tested too. */
export const everyRoute = async (base: string): Promise<RouteShape[]> => {
  const document = (await (await fetch(`${base}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!),
      takesBody: operation.requestBody !== undefined,
      public: operation.security?.length === 0,
    })),
  );
};

/** The path with its parameters filled in, in order. */
export const filled = (path: string, values: readonly string[]): string => {
  let next = 0;
  return path.replace(/\{\w+\}/g, () => encodeURIComponent(values[next++] ?? ''));
};
