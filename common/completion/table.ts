/** What may stand where a value is expected; `profiles`: the names that `PROGRAM completion --profiles` prints. */
export type CompletionValues = readonly string[] | 'profiles' | 'files' | 'commands';

/** A command as completion sees it. */
export type CompletedCommand = {
  /** The words that lead to it: none for the program itself. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly text: string }[];
  readonly flags: readonly CompletedFlag[];
  /** What stands after the flags, `many` times or once; `commands` is the rest of the line, another program's. */
  readonly operand: { readonly values: CompletionValues; readonly many: boolean } | undefined;
};

export type CompletedFlag = {
  readonly short: string | undefined;
  readonly long: string;
  readonly text: string;
  /** What it takes; undefined when it takes nothing, an empty list when anything will do. */
  readonly values: CompletionValues | undefined;
};

/** The program's name as the name of a function in a shell. */
export function functionName(program: string): string {
  return `_${program.replaceAll('-', '_')}`;
}

/** A description as one short line. */
export function firstSentence(text: string): string {
  return text.split('. ')[0]?.replace(/\.$/, '') ?? '';
}
