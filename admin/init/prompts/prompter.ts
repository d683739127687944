/** How the wizard speaks and asks, without the library that does it. */

/** Told to whoever watches. */
export type Voice = {
  opening(title: string): void;
  heading(title: string, place: string, text: string | undefined): void;
  /** Something found out or noted; a list stays a list. */
  say(text: string | readonly string[]): void;
  /** Something to think about. */
  warn(text: string): void;
  /** What is waited for, until something is said. */
  wait(text: string): void;
  /** A question that was answered beforehand. */
  answered(message: string, answer: string): void;
  closing(text: string): void;
};

/** Ctrl-C or Ctrl-D instead of an answer. */
export const STOPPED = Symbol('stopped');
type Stopped = typeof STOPPED;

export type TextPrompt = {
  readonly message: string;
  /** Stands there to be changed. */
  readonly initial?: string;
  /** Taken when nothing is typed, and shown until something is. */
  readonly fallback?: string;
  /** An answer like it, shown where there is nothing else to show. */
  readonly example?: string;
  /** Whether it may stay empty. */
  readonly optional?: boolean;
  /** What is wrong with it, as a sentence; undefined when nothing is. */
  validate(text: string): string | undefined;
};

export type ChoicePrompt = {
  readonly message: string;
  readonly choices: readonly { readonly label: string; readonly hint?: string }[];
  /** Index of the choice that stands there at first. */
  readonly initial: number;
};

/** Asks a person at a terminal. */
export type Prompter = Voice & {
  text(prompt: TextPrompt): Promise<string | Stopped>;
  secret(prompt: TextPrompt): Promise<string | Stopped>;
  /** The index of the choice taken. */
  choose(prompt: ChoicePrompt): Promise<number | Stopped>;
  yesNo(prompt: { readonly message: string; readonly initial: boolean }): Promise<boolean | Stopped>;
};
