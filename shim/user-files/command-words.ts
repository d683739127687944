/** Commands in the files of others, which a shell or something like it takes apart. */

/** Characters that no shell sees anything in. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** A word for a POSIX shell, quoted when it needs to be: in double quotes as people write it, where they do. */
export function quotedWord(text: string): string {
  if (PLAIN.test(text)) return text;
  if (!/["$`\\!]/.test(text)) return `"${text}"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The program that a command runs: its first word, as a POSIX shell takes it. */
export function programOf(command: string): string {
  const parts = /^\s*((?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|[^\s"'\\])+)/.exec(command)?.[1] ?? '';
  return parts.replace(
    /"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'|\\([\s\S])/g,
    (_, double?: string, single?: string, escaped?: string) =>
      double?.replace(/\\(["$`\\])/g, '$1') ?? single ?? escaped ?? '',
  );
}
