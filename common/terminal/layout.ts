/** Layout of the text that every program prints for people. */

/** Width in columns of all text for people, unless the terminal is asked for its own. */
export const WIDTH = 80;

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export type Colour = keyof typeof COLOURS;
export type Paint = (colour: Colour, text: string) => string;

export function painter(colours: boolean): Paint {
  return (colour, text) => (colours ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text);
}

/**
 * Breaks a text between words into lines of at most `width` characters. Longer words stay whole.
 *
 * @param before starts the first line, and counts towards its width.
 * @param indent spaces before every further line.
 */
export function wrapWords(before: string, text: string, indent: number, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = before;
  let words = '';
  for (const word of text.split(' ')) {
    if (words !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat(indent);
      words = '';
    }
    const next = words === '' ? word : ` ${word}`;
    line += next;
    words += next;
  }
  return [...lines, line];
}
