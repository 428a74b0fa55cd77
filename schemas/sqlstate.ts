/** What PostgreSQL's error codes say, for log, vault and views alike. Told by their shape: no driver is known here. */

/** Five letters or digits; `undefined` for a failure that the server did not word itself. */
export const sqlStateOf = (error: unknown): string | undefined => {
  const { severity, code } = error instanceof Error ? (error as { severity?: unknown; code?: unknown }) : {};
  return typeof severity === 'string' && typeof code === 'string' ? code : undefined;
};

/** Connections, deadlocks, resources, an operator, the system beneath; and a copy that takes no writes after a fail-over. */
const PASSING = /^(08|40|53|55|57|58|25006)/;

/** An error that the server itself answered with and that another try would meet again. */
export const isFinal = (error: unknown): boolean => {
  const state = sqlStateOf(error);
  return state !== undefined && !PASSING.test(state);
};
