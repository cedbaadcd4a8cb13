/** A configuration file on its way from text to meaning. */
import type { Problems } from './problems.ts';
import type { Source } from './source.ts';

/** A configuration file that is being checked. */
export interface OpenFile {
  readonly source: Source;
  readonly problems: Problems;
  readonly isUserWide: boolean;
}
