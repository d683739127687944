/** Runs a live check of a step, and asks what to do when it fails. */
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { answered, interruption } from './prompts/ask.ts';
import type { Prompter, Voice } from './prompts/prompter.ts';
import type { Context, LiveCheck, LiveCheckResults } from './question.ts';

/** Results of the check; `unchecked` when it was left out; `correct` when the answers are asked again. */
export type CheckOutcome = LiveCheckResults | 'unchecked' | 'correct';

const CHOICES = [
  { label: 'Correct the answers', outcome: 'correct' },
  { label: 'Try again', outcome: 'again' },
  { label: 'Go on without this check', outcome: 'unchecked' },
] as const;

/** @throws CcwbError what is wrong, where nobody can be asked; ERR_INTERRUPTED. */
export async function runCheck(
  check: LiveCheck,
  c: Context,
  options: {
    readonly voice: Voice;
    readonly edges: AdminEdges;
    readonly prompter: Prompter | undefined;
    readonly isLeftOut: boolean;
  },
): Promise<CheckOutcome> {
  const { voice, edges, prompter, isLeftOut } = options;
  if (isLeftOut) {
    voice.warn(`Not checked: ${check.unchecked}.`);
    return 'unchecked';
  }
  for (;;) {
    let error: CcwbError;
    try {
      voice.wait(`Asking ${check.asks(c)}…`);
      const findings = await untilInterrupted(check.run(c, edges), edges.interrupted);
      check.tell(findings, voice, c);
      return findings;
    } catch (thrown) {
      if (edges.interrupted.aborted) throw interruption();
      if (!(thrown instanceof CcwbError)) throw thrown;
      error = thrown;
    }
    if (!prompter) {
      throw new CcwbError(error.code, error.message, `${error.fix}; --${check.flag} leaves the check out`, {
        cause: error,
      });
    }
    voice.warn(error.message);
    voice.say(`To do: ${error.fix}.`);
    const index = answered(await prompter.choose({ message: 'What now?', choices: CHOICES, initial: 0 }));
    const outcome = CHOICES[index]?.outcome ?? 'correct';
    if (outcome === 'unchecked') voice.warn(`Not checked: ${check.unchecked}.`);
    if (outcome !== 'again') return outcome;
  }
}

/** Rejects as soon as the person interrupts, since some edges cannot be stopped. */
function untilInterrupted<T>(waitedFor: Promise<T>, interrupted: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(interruption());
    if (interrupted.aborted) stop();
    interrupted.addEventListener('abort', stop, { once: true });
    waitedFor.then(resolve, reject).finally(() => interrupted.removeEventListener('abort', stop));
  });
}
