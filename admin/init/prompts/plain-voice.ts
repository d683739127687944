/** The wizard where nobody is asked: what it found out and what it warns of, a line each. */
import type { AdminIo } from '../../io.ts';
import { paragraph } from '../../terminal/text.ts';
import type { Voice } from './prompter.ts';

export function plainVoice(io: AdminIo): Voice {
  const line = (text: string): void => io.writeError(paragraph(text, io.columns));
  return {
    opening: () => {},
    heading: () => {},
    say: (text) => (typeof text === 'string' ? line(text) : io.writeError(`${text.join('\n')}\n`)),
    warn: (text) => line(`note: ${text}`),
    wait: () => {},
    answered: () => {},
    closing: (text) => io.writeError(`${text}\n`),
  };
}
