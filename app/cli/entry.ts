#!/usr/bin/env node
/** What `parley` runs. The rest is loaded only where Node can read it. */
import './node-version.mjs';

/** The name of the bundle of `parley.ts`, which the build puts in. */
declare const BUNDLE: string;

const profile = process.env.PARLEY_PROFILE === 'cluster' ? 'cluster' : 'embedded';
const use = process.argv[2] === 'serve' ? profile : 'command';

void import('./compiled.ts').then(({ runCompiled }) => runCompiled(new URL(BUNDLE, import.meta.url), use));
