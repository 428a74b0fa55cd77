/** The event log as others see it: the port. Adapters are chosen by `app`. */
export type * from './port.ts';
