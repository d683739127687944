/** The interface through which the wizard shows texts and asks, without the library behind it. */

/** Shows texts to the person, or to the log of an unattended run. */
export type Voice = {
  opening(title: string): void;
  heading(title: string, place: string, text: string | undefined): void;
  /** Shows a result or a note; each item of a list on a line of its own. */
  say(text: string | readonly string[]): void;
  /** Shows a warning. */
  warn(text: string): void;
  /** Shows what the wizard waits for, until the next text. */
  wait(text: string): void;
  /** Shows a question that a flag or a file answered. */
  answered(message: string, answer: string): void;
  closing(text: string): void;
};

/** Ctrl-C or Ctrl-D instead of an answer. */
export const STOPPED = Symbol('stopped');
type Stopped = typeof STOPPED;

export type TextPrompt = {
  readonly message: string;
  /** Text in the field at first, to be edited. */
  readonly initial?: string;
  /** Taken when nothing is typed, and shown until something is. */
  readonly fallback?: string;
  /** An answer like it, shown where there is nothing else to show. */
  readonly example?: string;
  /** True when the answer may be empty. */
  readonly optional?: boolean;
  /** Returns the problem of a text as a sentence; undefined when it is allowed. */
  validate(text: string): string | undefined;
};

export type ChoicePrompt = {
  readonly message: string;
  readonly choices: readonly { readonly label: string; readonly hint?: string }[];
  /** Index of the choice that is selected at first. */
  readonly initial: number;
};

/** Asks a person at a terminal. */
export type Prompter = Voice & {
  text(prompt: TextPrompt): Promise<string | Stopped>;
  secret(prompt: TextPrompt): Promise<string | Stopped>;
  /** Returns the index of the selected choice. */
  choose(prompt: ChoicePrompt): Promise<number | Stopped>;
  yesNo(prompt: { readonly message: string; readonly initial: boolean }): Promise<boolean | Stopped>;
};
