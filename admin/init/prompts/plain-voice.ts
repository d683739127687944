/** Output of the wizard when nobody is asked: a line for each result and each warning. */
import type { AdminEdges } from '../../edges.ts';
import { paragraph } from '../../terminal/text.ts';
import type { Voice } from './prompter.ts';

export function createPlainVoice(edges: AdminEdges): Voice {
  const line = (text: string): void => edges.writeError(paragraph(text, edges.columns));
  return {
    opening: () => {},
    heading: () => {},
    say: (text) => (typeof text === 'string' ? line(text) : edges.writeError(`${text.join('\n')}\n`)),
    warn: (text) => line(`note: ${text}`),
    wait: () => {},
    answered: () => {},
    closing: (text) => edges.writeError(`${text}\n`),
  };
}
