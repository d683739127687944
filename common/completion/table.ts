/** Values that completion offers. `profiles`: the names that `PROGRAM completion --profiles` prints. */
export type CompletionValues = readonly string[] | 'profiles' | 'files' | 'commands';

/** A command and everything that completion offers after it. */
export type CompletedCommand = {
  /** Words of the command, without the program; empty for the program itself. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly text: string }[];
  readonly flags: readonly CompletedFlag[];
  /** Operand after the flags, repeated if `many`. `commands`: the command line of another program. */
  readonly operand: { readonly values: CompletionValues; readonly many: boolean } | undefined;
};

export type CompletedFlag = {
  readonly short: string | undefined;
  readonly long: string;
  readonly text: string;
  /** Values of the flag; undefined if it takes none, an empty list if it takes any. */
  readonly values: CompletionValues | undefined;
};

/** Returns the name of the shell function that completes a program. */
export function functionName(program: string): string {
  return `_${program.replaceAll('-', '_')}`;
}

/** Returns the first sentence of a description, without its full stop. */
export function firstSentence(text: string): string {
  return text.split('. ')[0]?.replace(/\.$/, '') ?? '';
}
