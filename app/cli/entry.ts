#!/usr/bin/env node
/** What `parley` runs. The rest is loaded only where Node can read it. */
import './node-version.mjs';

void import('./parley.ts');
