/** What an action of `fleche cache` did. */
export interface Done {
  /** For programs. */
  readonly json: object;
  /** For people. */
  readonly text: string;
  readonly code: number;
}
