/** The servers that Parley's cluster profile stands on, started for tests, benches and by hand. */
import { ports as sharedPorts } from './endpoints.ts';
import { nativeServices } from './native/native-services.ts';
import { servicesFolder } from './paths.ts';
import type { Progress, Services } from './port.ts';
import type { Ports } from './ports.ts';

export {
  type Progress,
  ServiceFailed,
  ServiceMissing,
  type ServiceState,
  type ServiceStatus,
  type Services,
} from './port.ts';
export { isServiceName, type Ports, type ServiceName, serviceNames } from './ports.ts';

export interface ServicesOptions {
  /** Folder for their data, configuration, logs and pids. */
  readonly directory: string;
  readonly ports: Ports;
  readonly progress?: Progress;
}

/** A set of servers on ports and data of its own. Nothing is started yet. */
export const createServices = ({ directory, ports, progress = () => {} }: ServicesOptions): Services =>
  nativeServices(directory, ports, progress);

/** The set that everybody on this machine shares (endpoints.ts): never stop or kill one of these in a test. */
export const sharedServices = (progress?: Progress): Services =>
  createServices({ directory: servicesFolder, ports: sharedPorts, ...(progress && { progress }) });
