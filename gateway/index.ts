/** The gateway's public face. */
export * from './config.ts';
export { createGateway, type Gateway } from './gateway.ts';
export { registerGateway } from './plugin.ts';
