/** Runs `ccwb init`: the interview, the summary, and after a confirmation the file. */
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges, Environment } from '../edges.ts';
import {
  type AdminProfile,
  emptyProfile,
  PROFILE_NAME,
  PROFILE_NAME_WORDS,
} from '../profiles/admin-profile.ts';
import { currentProfile } from '../profiles/current-profile.ts';
import { listProfiles, profilePath, readProfile, writeProfile } from '../profiles/profile-store.ts';

import { forgetDraft, keepDraft, readDraft } from './draft.ts';
import { finalProblem, nextSteps, report } from './finish.ts';
import { fileAnswers, flagAnswers, type GivenAnswers } from './given.ts';
import { createInterview, type Interview } from './interview.ts';
import { answered } from './prompts/ask.ts';
import { createPlainVoice } from './prompts/plain-voice.ts';
import type { Prompter, Voice } from './prompts/prompter.ts';
import type { LiveCheck } from './question.ts';
import { STEPS } from './steps/steps.ts';
import { costLines, rowLines, summaryRows } from './summary.ts';

const DEFAULT_NAME = 'ClaudeCode';
/** Columns of the summary: those of an 80-column terminal less the guide's. */
const COLUMNS = 76;

/** The flags of `ccwb init`; those of questions have the names of `ANSWERS` in camel case. */
export type InitFlags = Readonly<Record<string, unknown>> & {
  readonly profile?: string;
  readonly answers?: string;
  readonly yes?: true;
  readonly json?: true;
  /** These three are false with `--no-…`. */
  readonly check: boolean;
  readonly checkProvider: boolean;
  readonly checkAws: boolean;
};

/** @throws CcwbError ERR_USAGE for what is missing or wrong; ERR_INTERRUPTED, saying what is kept. */
export async function init(flags: InitFlags, edges: AdminEdges): Promise<void> {
  const fromFlags = flagAnswers(flags);
  const file = flags.answers === undefined ? undefined : await fileAnswers(flags.answers);
  const given: GivenAnswers = new Map([...(file?.answers ?? []), ...fromFlags]);
  const prompter = flags.yes ? undefined : await edges.openPrompts?.();
  const voice = prompter ?? createPlainVoice(edges);
  voice.opening('Claude Code with Bedrock: a deployment');
  const name = await chooseName(flags.profile ?? file?.profile, prompter, edges.env);
  const before = listProfiles(edges.env).includes(name) ? readProfile(name, edges.env) : undefined;
  const kept = prompter ? await keptAnswers(name, prompter, edges) : new Map();
  let keeps = kept.size > 0;
  const interview = createInterview({
    name,
    before,
    given: new Map([...kept, ...given]),
    voice,
    prompter,
    takesDefaults: flags.yes === true,
    leftOut: leftOutBy(flags),
    edges,
    keep: (answers) => {
      keepDraft(name, answers, edges.env, edges.now());
      keeps = true;
    },
  });
  try {
    await interview.run();
    const unanswered = unansweredError(interview);
    if (unanswered) throw unanswered;
    await confirmSummary(interview, before, prompter, voice);
  } catch (thrown) {
    throw keeps ? withNoteOfKept(thrown, name) : thrown;
  }
  save(interview, name, before, edges, voice, flags);
}

/** Returns the profile's name: as given, as typed, or the one that a command without a name works on. */
async function chooseName(
  given: string | undefined,
  prompter: Prompter | undefined,
  env: Environment,
): Promise<string> {
  const names = listProfiles(env);
  const [only = DEFAULT_NAME] = names;
  const usual = env.CCWB_PROFILE || (currentProfile(env) ?? (names.length === 1 ? only : DEFAULT_NAME));
  if (given === undefined && prompter) return askName(usual, names, prompter);
  const name = given ?? usual;
  profilePath(name, env);
  prompter?.answered('Name of the deployment', name);
  return name;
}

async function askName(usual: string, names: readonly string[], prompter: Prompter): Promise<string> {
  prompter.heading(
    'Profile',
    `1 of ${STEPS.length + 1}`,
    names.length === 0
      ? "A deployment by its name. Stacks in AWS and the users' AWS profile are called after it."
      : `There ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}. A name of these changes that one; another makes a new one.`,
  );
  const typed = await prompter.text({
    message: 'Name of the deployment',
    fallback: usual,
    validate: (text) => (PROFILE_NAME.test(text.trim()) ? undefined : `Allowed: ${PROFILE_NAME_WORDS}`),
  });
  return answered(typed).trim();
}

/** Returns the answers of an interrupted start, if the person wants to continue it. */
async function keptAnswers(name: string, prompter: Prompter, edges: AdminEdges): Promise<GivenAnswers> {
  const draft = readDraft(name, edges.env);
  if (!draft) return new Map();
  const at = new Date(draft.keptAt).toISOString().slice(0, 16).replace('T', ' ');
  const count = draft.answers.size === 1 ? 'An answer' : `${draft.answers.size} answers`;
  const goOn = answered(
    await prompter.yesNo({ message: `${count} of ${at} UTC kept. Go on from there?`, initial: true }),
  );
  if (!goOn) forgetDraft(name, edges.env);
  return goOn ? draft.answers : new Map();
}

function leftOutBy({ check, checkProvider, checkAws }: InitFlags): ReadonlySet<LiveCheck['flag']> {
  return new Set<LiveCheck['flag']>([
    ...(check && checkProvider ? [] : (['no-check-provider'] as const)),
    ...(check && checkAws ? [] : (['no-check-aws'] as const)),
  ]);
}

/** Shows the summary until the person confirms it. @throws CcwbError ERR_DECLINED, ERR_INTERRUPTED. */
async function confirmSummary(
  interview: Interview,
  before: AdminProfile | undefined,
  prompter: Prompter | undefined,
  voice: Voice,
): Promise<void> {
  for (;;) {
    const profile = interview.profile();
    const { findings } = interview;
    const rows = summaryRows(profile, findings);
    voice.heading('Summary', '', undefined);
    voice.say(rowLines(rows, before && summaryRows(before, findings), COLUMNS));
    voice.say(costLines(profile, COLUMNS));
    for (const unchecked of interview.unchecked) voice.warn(`Not checked: ${unchecked}.`);
    const problem = finalProblem(profile);
    if (problem) voice.warn(problem.message);
    if (!prompter) {
      if (problem) throw problem;
      return;
    }
    const index = answered(
      await prompter.choose({
        message: 'Save it?',
        choices: [
          { label: 'Save' },
          { label: 'Change something first' },
          { label: 'Leave', hint: 'the answers are kept' },
        ],
        initial: problem ? 1 : 0,
      }),
    );
    if (index === 0 && !problem) return;
    if (index === 2) throw new CcwbError('ERR_DECLINED', 'nothing was saved', 'run ccwb init again');
    const step = answered(
      await prompter.choose({
        message: 'What?',
        choices: STEPS.map(({ title }) => ({ label: title })),
        initial: 0,
      }),
    );
    await interview.run(STEPS[step]);
  }
}

function save(
  interview: Interview,
  name: string,
  before: AdminProfile | undefined,
  edges: AdminEdges,
  voice: Voice,
  flags: InitFlags,
): void {
  // A deployment may have written its outputs there since.
  const base = before ? readProfile(name, edges.env) : emptyProfile(name);
  const profile = interview.profile(base);
  const changed = writeProfile(profile, edges.env);
  forgetDraft(name, edges.env);
  const path = profilePath(name, edges.env);
  const current = currentProfile(edges.env) ?? (listProfiles(edges.env).length === 1 ? name : undefined);
  const told = `${before && !changed ? 'Nothing changed' : 'Saved'}: ${path}`;
  voice.closing([told, ...nextSteps(profile, current === name)].join('\n'));
  if (flags.json) {
    const created = before === undefined;
    edges.writeOut(
      `${JSON.stringify(report(profile, interview, { path, created, changed }), undefined, 2)}\n`,
    );
  }
}

/** Returns the error for questions without an answer; undefined when all are answered. */
function unansweredError({ missing, undecided }: Interview): CcwbError | undefined {
  const flags = (names: readonly string[]): string => names.map((name) => `--${name}`).join(', ');
  const give = 'give them as flags, or in a file with --answers FILE';
  if (undecided.length === 0) {
    if (missing.length === 0) return undefined;
    return new CcwbError('ERR_USAGE', `these have no default: ${flags(missing)}`, give);
  }
  const takeDefaults = `--yes to take the defaults of ${flags(undecided)}`;
  return missing.length === 0
    ? new CcwbError(
        'ERR_USAGE',
        'there is no terminal to ask at, and not all is answered',
        `add ${takeDefaults}`,
      )
    : new CcwbError(
        'ERR_USAGE',
        `there is no terminal to ask at, and these have no default: ${flags(missing)}`,
        `${give}; add ${takeDefaults}`,
      );
}

/** Returns the error of an interruption with a note that the answers are kept; other errors unchanged. */
function withNoteOfKept(thrown: unknown, name: string): unknown {
  if (!(thrown instanceof CcwbError)) return thrown;
  const { code } = thrown;
  if (code !== 'ERR_INTERRUPTED' && code !== 'ERR_DECLINED') return thrown;
  const what = code === 'ERR_DECLINED' ? '' : 'interrupted; ';
  return new CcwbError(
    code,
    `${what}nothing was saved, the answers are kept`,
    `run ccwb init --profile ${name} to go on from there`,
    { cause: thrown },
  );
}
