/**
 * A build in a process of its own: `_shared-process.ts BUNDLER ROOT CACHE [exit]`. Prints what became of it, and closes the
 * cache or exits without a word.
 */
import { writeSync } from 'node:fs';
import { LocalCache } from '../../core/call/caches/local-cache.ts';
import { type Bundler, buildMarked } from './_marking.ts';

const [bundler, root = '', folder = '', end] = process.argv.slice(2);
const warnings: string[] = [];
const cache = new LocalCache(folder);
const built = await buildMarked(bundler as Bundler, root, { cache, onWarning: (text) => warnings.push(text) });
if (end !== 'exit') await cache.close();
writeSync(1, JSON.stringify({ ...built, warnings }));
process.exit();
