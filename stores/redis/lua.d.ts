/** A script's text: esbuild and vitest load `.lua` files so (build.mjs, vitest.config.ts). */
declare module '*.lua' {
  const text: string;
  export default text;
}
