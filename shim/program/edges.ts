import type { DaemonClient } from '../../protocol/client.ts';
import type { Paths } from '../../protocol/paths.ts';

/** Everything outside its own code that a shim program uses. Tests replace it. */
export type ShimEdges = {
  /** Its name in errors and usage lines. */
  name: string;
  /** Arguments after the program's own path. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  paths: Paths;
  daemon: DaemonClient;
  /** The folder that holds `credential-process`, `daemon/` and `runtime/`, whichever version it leads to. */
  installation: string;
  /** Folder of this program's build: one in `versions` of the installation, or a package. */
  buildFolder: string;
  /** Aborted by SIGINT, SIGTERM and SIGHUP: ends what waits. */
  interrupted: AbortSignal;
  /** Wall-clock time in milliseconds since 1970. */
  now(): number;
  /** True when standard output is a terminal. */
  terminal: boolean;
  /** True when standard input is one. */
  terminalInput: boolean;
  /** Columns and rows of the terminal; 80 and 24 where there is none. */
  size(): { columns: number; rows: number };
  /** One line that a person types at the terminal; undefined where nobody can. */
  readLine(): Promise<string | undefined>;
  /** From now on signals are this handler's, and end nothing here: for a program that runs another. */
  takeSignals(handler: (signal: NodeJS.Signals) => void): void;
  /** Writes to standard output: what the contract asks for, and nothing else. */
  writeOut(text: string): Promise<void>;
  /** Writes to standard error: what people read. */
  writeError(text: string): void;
};
