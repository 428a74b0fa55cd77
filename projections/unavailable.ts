export { StoreUnavailable } from '../schemas/unavailable.ts';
