/** The servers of Parley's cluster profile, started for tests, benches and by hand: see docs/services.md. */

import { createServices } from './choose.ts';
import { ports } from './endpoints.ts';
import { servicesFolder } from './paths.ts';
import type { Progress, Services } from './port.ts';

export { createServices, type ServicesOptions } from './choose.ts';
export {
  type OwnServices,
  type Progress,
  ServiceFailed,
  ServiceMissing,
  type ServiceState,
  type ServiceStatus,
  type Services,
} from './port.ts';
export { isServiceName, type Ports, type ServiceName, serviceNames } from './ports.ts';
export { endAbandoned, privateServices } from './private.ts';

/** The set that everything on this machine shares (endpoints.ts). A test never stops or kills one of these. */
export const sharedServices = (progress?: Progress): Services =>
  createServices({ directory: servicesFolder, ports, neverKilled: true, ...(progress && { progress }) });
