import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { paragraph } from './text.ts';

/** The consent that flags give before any question. */
export type Consent = {
  /** --yes: every question but the next is answered with yes. */
  readonly yes: boolean;
  /** --allow-replacement: also the one about what is in use being replaced. */
  readonly allowReplacement: boolean;
};

/** Asks for a yes. @throws CcwbError ERR_DECLINED after any other answer; ERR_USAGE without a terminal. */
export async function confirm(
  question: string,
  yes: boolean,
  flag: string,
  edges: AdminEdges,
): Promise<void> {
  if (yes) return;
  const answer = await ask(question, ' [y/N]', flag, edges);
  if (!/^y(es)?$/i.test(answer.trim())) throw declined(question);
}

/** Asks for a name to be typed exactly, since nobody types a name by habit. */
export async function confirmByTyping(
  question: string,
  expected: string,
  yes: boolean,
  flag: string,
  edges: AdminEdges,
): Promise<void> {
  if (yes) return;
  const answer = await ask(question, '', flag, edges);
  if (answer.trim() !== expected) throw declined(question);
}

async function ask(question: string, choice: string, flag: string, edges: AdminEdges): Promise<string> {
  if (edges.ask === undefined) {
    throw new CcwbError(
      'ERR_USAGE',
      `this needs a yes, and there is no terminal to ask at: ${question.trim()}`,
      `add ${flag} if it is meant, or run it on a terminal`,
    );
  }
  // A long question is broken like all else; its last line is where the answer is typed.
  const lines = paragraph(question.trim() + choice, edges.columns);
  const answer = await edges.ask(`\n${lines.trimEnd()} `);
  if (edges.interrupted.aborted) {
    throw new CcwbError(
      'ERR_INTERRUPTED',
      'interrupted at a question; nothing was changed by it',
      'run it again',
    );
  }
  return answer;
}

function declined(question: string): CcwbError {
  return new CcwbError(
    'ERR_DECLINED',
    `not done, since the answer was not yes: ${question}`,
    'run it again when you want it',
  );
}
