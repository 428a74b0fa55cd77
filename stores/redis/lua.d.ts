/** The text of a script. esbuild and vitest load `.lua` files as text (build.mjs, vitest.config.ts). */
declare module '*.lua' {
  const text: string;
  export default text;
}
