/** The histories of the oracle in repositories of packages, and those of tasks that are done for each of many files. */
import * as fc from 'fast-check';
import { test } from 'uvu';
import { live } from './_history.ts';
import { ITEMS } from './_items.ts';
import { Noted } from './_noted.ts';
import { EXTENTS, hold, withBase } from './_oracle.ts';
import { REPOSITORIES } from './_repository.ts';
import { story } from './_story.ts';

test('whatever changes in manifests, templates, ignore files and the lock file, a run ends as a clean build does', async () => {
  await hold(
    fc.asyncProperty(story('inside', REPOSITORIES), (story) =>
      withBase((base) => live(story, REPOSITORIES, new Noted(base))),
    ),
    EXTENTS.repositories,
  );
});

test('the same of tasks that are done for each of many files', async () => {
  await hold(
    fc.asyncProperty(story('inside', ITEMS), (story) => withBase((base) => live(story, ITEMS, new Noted(base)))),
    EXTENTS.items,
  );
});

test.run();
