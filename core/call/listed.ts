/** What calls turned out to look at beside what they declare, as records tell of it. */

/** Records that have no answer, but lists of what past calls of one question looked at. Their names end like this. */
export const LISTED = ' (what it looks at)';
/** The part of a question that has what a task discovered. */
export const DISCOVERED = 'discovered';
