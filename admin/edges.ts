import type { Prompter } from './init/prompts/prompter.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The endpoint and credentials of AWS. Absent fields leave the choice to the SDK, as in the real program. */
export type AwsSettings = {
  readonly endpoint?: string;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
};

/** The edges of `ccwb`, named once: made for the real process in ccwb.ts, for tests in the tests. */
export type AdminEdges = {
  readonly env: Environment;
  readonly aws: AwsSettings;
  /** Every call to the network, with the proxies and certificate authorities of this machine. */
  readonly fetch: typeof globalThis.fetch;
  /** Writes results to standard output. */
  writeOut(text: string): void;
  /** Writes messages for people to standard error. */
  writeError(text: string): void;
  /** True: results may be coloured, since they go to a terminal and NO_COLOR is not set. */
  readonly colours: boolean;
  /** Width of the terminal on which people read what is said; undefined when it is a pipe or a file. */
  readonly columns: number | undefined;
  /** Opens the prompts of the wizard; undefined where nobody could answer. */
  readonly openPrompts: (() => Promise<Prompter>) | undefined;
  /** Asks on the terminal and returns the line typed; undefined where nobody could answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; ends waiting calls. */
  readonly interrupted: AbortSignal;
  /** Milliseconds since 1970. */
  now(): number;
  /** A random number from 0 to 1, for jitter. */
  random(): number;
  /** Resolves after so many milliseconds, or as soon as the program is interrupted. */
  sleep(ms: number): Promise<void>;
};
