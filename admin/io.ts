/** The edges of `ccwb`, named once: made for the real process in ccwb.ts, for tests in the tests. */
export type AdminIo = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results: what a pipe or a file should get. */
  writeOut(text: string): void;
  /** Everything said to a person. */
  writeError(text: string): void;
};
