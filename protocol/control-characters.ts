/**
 * The characters that could change how a terminal shows a text: C0 and C1 control characters, DEL, line and
 * paragraph separators, and marks that change the direction of text.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are the ones to find
export const CONTROL_CHARACTERS = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Returns the text with its control characters as `\uXXXX`, so that a terminal shows them and does not obey. */
export function escapeControlCharacters(text: string): string {
  return text.replace(
    CONTROL_CHARACTERS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
