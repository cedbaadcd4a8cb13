/** Records that have no answer, but lists of what past calls of one question looked at. Their names end like this. */
export const LISTED = ' (what it looks at)';
