import type { DaemonClient } from '../../protocol/client.ts';
import type { Paths } from '../../protocol/paths.ts';

/** Everything outside its own code that a shim program uses. Tests replace it. */
export type ShimEdges = {
  /** Name of the program in errors and usage lines. */
  name: string;
  /** Arguments after the program's own path. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  paths: Paths;
  daemon: DaemonClient;
  /** Folder with `credential-process`, `daemon/` and `runtime/`, for the version in use. */
  installation: string;
  /** Folder of this program's build: one in `versions` of the installation, or a package. */
  buildFolder: string;
  /** Aborted by SIGINT, SIGTERM and SIGHUP. Every wait ends then. */
  interrupted: AbortSignal;
  /** Wall-clock time in milliseconds since 1970. */
  now(): number;
  /** True when standard output is a terminal. */
  terminal: boolean;
  /** True when standard input is a terminal. */
  terminalInput: boolean;
  /** Columns and rows of the terminal; 80 and 24 without one. */
  size(): { columns: number; rows: number };
  /** Reads one line typed at the terminal; undefined if nobody can type one. */
  readLine(): Promise<string | undefined>;
  /**
   * Passes all later signals to a handler instead of ending this program. For a program that runs another.
   */
  takeSignals(handler: (signal: NodeJS.Signals) => void): void;
  /** Writes to standard output, which holds only the result that the contract defines. */
  writeOut(text: string): Promise<void>;
  /** Writes to standard error, for people to read. */
  writeError(text: string): void;
};
