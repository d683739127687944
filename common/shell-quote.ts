/** Quoting of words for shells, and the reading of a quoted command: one place, so that both sides agree. */

/** Characters that no POSIX shell gives a meaning. */
const PLAIN_WORD = /^[\w@%+=:,./-]+$/;

/** Like {@link PLAIN_WORD}, with the tilde, which the shell of the reader replaces by the home folder. */
const PLAIN_TYPED_WORD = /^[\w@%+=:,./~-]+$/;

/**
 * Returns a word for a POSIX shell, quoted only if it needs to be. Double quotes, which
 * people write by hand, are used where nothing inside them needs an escape.
 */
export function quoteShellWord(text: string): string {
  if (PLAIN_WORD.test(text)) return text;
  return /["$`\\!]/.test(text) ? singleQuote(text) : `"${text}"`;
}

/** Returns a word of a command that a person is asked to type: quoted only if it needs to be, `~` left alone. */
export function quoteTypedWord(text: string): string {
  return PLAIN_TYPED_WORD.test(text) ? text : singleQuote(text);
}

/** Returns the text in single quotes, for a POSIX shell, bash or zsh. */
export function singleQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Returns the text in single quotes for fish, where a backslash escapes itself and the quote. */
export function singleQuoteForFish(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** Returns the text in single quotes for PowerShell, where a doubled quote stands for one. */
export function singleQuoteForPowerShell(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Returns the program that a command runs: its first word, unquoted as a POSIX shell would. Empty if malformed. */
export function programOfCommand(command: string): string {
  const word = /^\s*((?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|[^\s"'\\])+)/.exec(command)?.[1] ?? '';
  return word.replace(
    /"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'|\\([\s\S])/g,
    (_, double?: string, single?: string, escaped?: string) =>
      double?.replace(/\\(["$`\\])/g, '$1') ?? single ?? escaped ?? '',
  );
}
