import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { paragraph } from './text.ts';

/** Consent given by flags. */
export type Consent = {
  /** --yes: answers yes to every question except the one about replacements. */
  readonly yes: boolean;
  /** --allow-replacement: answers yes to the question about replacing something in use. */
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

/** Asks the person to type a name exactly. Unlike yes, a name is not typed by habit. */
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
  // A long question is wrapped; the answer is typed on its last line.
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
